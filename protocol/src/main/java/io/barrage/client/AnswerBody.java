package io.barrage.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * An answer's body up to a length, which can be looked at before it is whole: of a stream of answers those that came are good, even
 * if the connection is lost then. Thread-safe; for one answer.
 */
final class AnswerBody implements HttpResponse.BodySubscriber<byte[]> {
    private final int maxBytes;
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    // under this
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Flow.@Nullable Subscription subscription;
    private boolean tooLong;

    /** @param maxBytes the longest that is taken */
    AnswerBody(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** What has come. */
    synchronized byte[] soFar() {
        return bytes.toByteArray();
    }

    /** Whether more came than is taken. */
    synchronized boolean isTooLong() {
        return tooLong;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return whole;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        synchronized (this) {
            subscription = given;
        }
        given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> pieces) {
        Flow.Subscription cancelled = null;
        synchronized (this) {
            for (ByteBuffer piece : pieces) {
                if (tooLong || bytes.size() + piece.remaining() > maxBytes) {
                    tooLong = true;
                    cancelled = subscription;
                    break;
                }
                byte[] copy = new byte[piece.remaining()];
                piece.get(copy);
                bytes.writeBytes(copy);
            }
        }
        if (cancelled != null) {
            cancelled.cancel();
            whole.completeExceptionally(new IOException("an answer of more than " + maxBytes + " bytes"));
        }
    }

    @Override
    public void onError(Throwable failure) {
        whole.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        whole.complete(soFar());
    }
}
