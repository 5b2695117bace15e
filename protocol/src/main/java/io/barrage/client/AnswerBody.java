package io.barrage.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * An answer up to a length, which can be looked at before it is whole: of a stream of answers those that came are good, even if the
 * connection is lost then. Thread-safe; for one answer.
 */
final class AnswerBody implements HttpResponse.BodyHandler<byte[]>, HttpResponse.BodySubscriber<byte[]> {
    private final int maxBytes;
    private final CompletableFuture<Answer> answer = new CompletableFuture<>();
    // under this
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private HttpResponse.@Nullable ResponseInfo head;
    private Flow.@Nullable Subscription subscription;
    private boolean tooLong;

    /** A whole answer. */
    @SuppressWarnings("ArrayRecordComponent") // The body is read, never compared.
    record Answer(int status, HttpHeaders headers, byte[] body) {}

    /** @param maxBytes the longest that is taken */
    AnswerBody(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** The whole answer; completed by the thread that read it, which isn't to be held up. Fails if only its head came, or a part. */
    CompletableFuture<Answer> answer() {
        return answer;
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
    public synchronized HttpResponse.BodySubscriber<byte[]> apply(HttpResponse.ResponseInfo given) {
        head = given;
        return this;
    }

    @Override
    public CompletableFuture<byte[]> getBody() {
        return answer.thenApply(Answer::body);
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
            answer.completeExceptionally(new IOException("an answer of more than " + maxBytes + " bytes"));
        }
    }

    @Override
    public void onError(Throwable failure) {
        answer.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        HttpResponse.ResponseInfo of;
        byte[] body;
        synchronized (this) {
            of = head;
            body = bytes.toByteArray();
        }
        if (of == null) {
            throw new IllegalStateException("a body ends that has no head");
        }
        answer.complete(new Answer(of.statusCode(), of.headers(), body));
    }
}
