package io.barrage.client;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublisher;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A request's body that can be withheld until it is asked for, which is when there is a connection: a request without its body hasn't
 * been carried out, and won't be. Thread-safe; for one attempt.
 */
final class HeldBody implements BodyPublisher {
    private final BodyPublisher body;
    private final AtomicReference<State> state = new AtomicReference<>(State.HELD);

    private enum State {
        HELD,
        GIVEN,
        WITHHELD
    }

    HeldBody(BodyPublisher body) {
        this.body = body;
    }

    /** Withholds it for good; false if it was given before. */
    boolean withhold() {
        return state.compareAndSet(State.HELD, State.WITHHELD) || state.get() == State.WITHHELD;
    }

    @Override
    public long contentLength() {
        return body.contentLength();
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
        if (state.compareAndSet(State.HELD, State.GIVEN) || state.get() == State.GIVEN) {
            body.subscribe(subscriber);
            return;
        }
        subscriber.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long count) {}

            @Override
            public void cancel() {}
        });
        subscriber.onError(new IOException("nobody waits for this attempt any more"));
    }
}
