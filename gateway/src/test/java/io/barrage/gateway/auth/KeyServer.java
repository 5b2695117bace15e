package io.barrage.gateway.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** An identity provider, as far as its keys go. Thread-safe. */
public final class KeyServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger requests = new AtomicInteger();
    private volatile String body = "{\"keys\":[]}";
    private volatile int status = 200;
    /** Taken by each answer. */
    private final Semaphore turns = new Semaphore(0);

    private volatile boolean held;

    public KeyServer() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/keys", exchange -> {
            requests.incrementAndGet();
            try (exchange) {
                if (held) {
                    turns.acquire();
                }
                byte[] bytes = body.getBytes(UTF_8);
                exchange.getResponseHeaders().add("location", "/keys");
                exchange.sendResponseHeaders(status, bytes.length);
                try (OutputStream out = exchange.getResponseBody()) {
                    out.write(bytes);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/keys";
    }

    /** How often it was asked. */
    public int requests() {
        return requests.get();
    }

    /** The keys from now on: each a JWK. */
    public void keys(String... jwks) {
        body = "{\"keys\":[" + String.join(",", jwks) + "]}";
    }

    void answer(int newStatus, String newBody) {
        status = newStatus;
        body = newBody;
    }

    /** From now on answers wait for {@link #release}. */
    void hold() {
        held = true;
    }

    /** Lets what waits go, and all that follows. */
    void release() {
        held = false;
        turns.release(100);
    }

    /** A pair's public key as a JWK; {@code more} is put behind it. */
    public static String jwk(String kid, String pair, String more) {
        PublicKey key = TokenFixture.pair(pair).getPublic();
        String material;
        if (key instanceof RSAPublicKey rsa) {
            material = "\"kty\":\"RSA\",\"n\":\"" + unsigned(rsa.getModulus(), 0) + "\",\"e\":\""
                    + unsigned(rsa.getPublicExponent(), 0) + "\"";
        } else if (key instanceof ECPublicKey ec) {
            int bits = ec.getParams().getCurve().getField().getFieldSize();
            int bytes = (bits + 7) / 8;
            material = "\"kty\":\"EC\",\"crv\":\"P-" + bits + "\",\"x\":\""
                    + unsigned(ec.getW().getAffineX(), bytes) + "\",\"y\":\""
                    + unsigned(ec.getW().getAffineY(), bytes) + "\"";
        } else {
            material = "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""
                    + TokenFixture.base64(TokenFixture.rawEd25519(pair)) + "\"";
        }
        return "{" + (kid == null ? "" : "\"kid\":\"" + kid + "\",") + material + more + "}";
    }

    private static String unsigned(BigInteger number, int length) {
        byte[] bytes = number.toByteArray();
        int sign = bytes[0] == 0 ? 1 : 0;
        int size = Math.max(length, bytes.length - sign);
        byte[] plain = new byte[size];
        System.arraycopy(bytes, sign, plain, size - (bytes.length - sign), bytes.length - sign);
        return TokenFixture.base64(plain);
    }

    @Override
    public void close() {
        release();
        server.stop(0);
        threads.shutdownNow();
    }
}
