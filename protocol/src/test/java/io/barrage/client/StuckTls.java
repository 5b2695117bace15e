package io.barrage.client;

import java.security.KeyManagementException;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * TLS that hangs before there is a connection, on a thread of the client's: as a look-up of a name does, which a test can't make hang.
 * Thread-safe; what hangs goes on when it is closed.
 */
final class StuckTls extends SSLContextSpi implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 20;

    private final SSLContext real;
    private final CountDownLatch reached;
    private final CountDownLatch released = new CountDownLatch(1);

    /** @param count how many connections {@link #await} waits for */
    StuckTls(int count) throws NoSuchAlgorithmException {
        this.real = SSLContext.getDefault();
        this.reached = new CountDownLatch(count);
    }

    /** What a client is built with. */
    SSLContext context() {
        return new SSLContext(this, real.getProvider(), real.getProtocol()) {};
    }

    /** Waits until so many hang. */
    void await() throws InterruptedException {
        if (!reached.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("too few connections are begun");
        }
    }

    @Override
    protected SSLEngine engineCreateSSLEngine(String host, int port) {
        reached.countDown();
        try {
            released.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return real.createSSLEngine(host, port);
    }

    @Override
    protected SSLEngine engineCreateSSLEngine() {
        return real.createSSLEngine();
    }

    @Override
    protected void engineInit(
            KeyManager @Nullable [] keys, TrustManager @Nullable [] trust, @Nullable SecureRandom random)
            throws KeyManagementException {
        throw new KeyManagementException("it is the default's");
    }

    @Override
    protected SSLSocketFactory engineGetSocketFactory() {
        return real.getSocketFactory();
    }

    @Override
    protected SSLServerSocketFactory engineGetServerSocketFactory() {
        return real.getServerSocketFactory();
    }

    @Override
    protected SSLSessionContext engineGetServerSessionContext() {
        return real.getServerSessionContext();
    }

    @Override
    protected SSLSessionContext engineGetClientSessionContext() {
        return real.getClientSessionContext();
    }

    @Override
    protected SSLParameters engineGetDefaultSSLParameters() {
        return real.getDefaultSSLParameters();
    }

    @Override
    protected SSLParameters engineGetSupportedSSLParameters() {
        return real.getSupportedSSLParameters();
    }

    @Override
    public void close() {
        released.countDown();
    }
}
