package io.barrage.gateway.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A backend with hooks, on a port of the loopback: keeps what it is called with, and answers as it is told. Thread-safe. */
public final class HookBackend implements AutoCloseable {
    /** {@code whsec_} and 32 bytes. */
    public static final String SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private static final long PATIENCE_SECONDS = 20;

    /** What came. */
    public record Call(String path, Headers headers, String body) {
        /** Whether a piece of JSON is in it. */
        public boolean has(String json) {
            return body.contains(json);
        }
    }

    /**
     * What is answered.
     *
     * @param body null for never, as long as the backend runs
     */
    public record Answer(int status, @Nullable String body) {}

    /** An answer with 200. */
    public static Answer ok(String json) {
        return new Answer(200, json);
    }

    /** No answer. */
    public static Answer never() {
        return new Answer(0, null);
    }

    /** Holds an answer back until it may be given, or the backend ends. */
    public static void await(CountDownLatch moment) {
        try {
            moment.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private final Map<String, Function<Call, Answer>> scripts = new ConcurrentHashMap<>();
    private final Map<String, BlockingQueue<Call>> calls = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final HttpServer server;

    public HookBackend() throws IOException {
        this(0);
    }

    public HookBackend(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    public String url(String path) {
        return "http://127.0.0.1:" + port() + path;
    }

    /** What is answered to calls of a path; the calls are kept as well. */
    public HookBackend answer(String path, Function<Call, Answer> script) {
        scripts.put(path, script);
        return this;
    }

    /** The next call of a path. */
    public Call next(String path) throws InterruptedException {
        Call call = queue(path).poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (call == null) {
            throw new AssertionError("no call of " + path);
        }
        return call;
    }

    /** How many calls of a path nobody has asked for. */
    public int waiting(String path) {
        return queue(path).size();
    }

    private BlockingQueue<Call> queue(String path) {
        return calls.computeIfAbsent(path, ignored -> new LinkedBlockingQueue<>());
    }

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        Call call = new Call(
                path,
                exchange.getRequestHeaders(),
                new String(exchange.getRequestBody().readAllBytes(), UTF_8));
        queue(path).add(call);
        Answer answer =
                scripts.getOrDefault(path, ignored -> new Answer(404, "")).apply(call);
        if (answer.body() == null) {
            try {
                closed.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
            return;
        }
        byte[] body = answer.body().getBytes(UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        } catch (IOException e) {
            if (closed.getCount() > 0) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Stops at once; whoever waits for an answer gets none. */
    @Override
    public void close() {
        // First: whoever is let go by the latch must not answer.
        server.stop(0);
        closed.countDown();
        threads.shutdownNow();
    }
}
