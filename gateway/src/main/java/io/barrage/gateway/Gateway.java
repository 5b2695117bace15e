package io.barrage.gateway;

import java.util.concurrent.CountDownLatch;

/** The running gateway. Thread-safe. */
final class Gateway implements AutoCloseable {

    private final CountDownLatch closed = new CountDownLatch(1);

    private Gateway() {}

    /** Starts everything that the configuration asks for. */
    static Gateway start(GatewayConfig config) {
        return new Gateway();
    }

    /** Returns when the gateway has stopped. */
    void awaitClosed() throws InterruptedException {
        closed.await();
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
