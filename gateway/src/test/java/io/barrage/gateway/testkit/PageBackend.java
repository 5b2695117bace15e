package io.barrage.gateway.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The backend behind a page: serves an empty page ({@code /}), gives tokens to users that are logged in ({@code /token?user=u7&life=2}), and judges what they
 * publish ({@code /judge}): it refuses {@code bad}, holds {@code hm} and rewrites {@code LOUD}. Thread-safe.
 */
public final class PageBackend implements AutoCloseable {
    /** What its tokens are signed with, by HS256. */
    public static final String SECRET = "a secret of thirty-two bytes, or more";

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, AtomicInteger> tokens = new ConcurrentHashMap<>();
    private final Set<String> loggedOut = ConcurrentHashMap.newKeySet();

    /** Starts it on a free port. */
    public PageBackend() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> answer(exchange, 200, "<!doctype html><title>A room</title>"));
        server.createContext("/token", this::giveToken);
        server.createContext("/judge", this::judge);
        server.start();
    }

    /** The address of one of its services. */
    public String url(String path) {
        return "http://localhost:" + server.getAddress().getPort() + path;
    }

    /** How many tokens a user has been given. */
    public int tokensOf(String user) {
        return tokens.computeIfAbsent(user, ignored -> new AtomicInteger()).get();
    }

    /** A user gets no tokens any more. */
    public void logOut(String user) {
        loggedOut.add(user);
    }

    /** A token for a user with these claims besides, written as the members of a JSON object. */
    public static String token(String user, long lifeSeconds, String claims) {
        long expires = System.currentTimeMillis() / 1000 + lifeSeconds;
        String payload = "{\"sub\":\"" + user + "\",\"exp\":" + expires + (claims.isEmpty() ? "" : "," + claims) + "}";
        String signed = base64("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".getBytes(StandardCharsets.UTF_8)) + "."
                + base64(payload.getBytes(StandardCharsets.UTF_8));
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return signed + "." + base64(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HmacSHA256", e);
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private void giveToken(HttpExchange exchange) throws IOException {
        Map<String, List<String>> query = new QueryStringDecoder(exchange.getRequestURI()).parameters();
        String user = parameter(query, "user", "");
        if (loggedOut.contains(user)) {
            answer(exchange, 401, "");
            return;
        }
        String token = token(user, Long.parseLong(parameter(query, "life", "60")), parameter(query, "claims", ""));
        tokens.computeIfAbsent(user, ignored -> new AtomicInteger()).incrementAndGet();
        answer(exchange, 200, token);
    }

    private static String parameter(Map<String, List<String>> query, String name, String otherwise) {
        return query.getOrDefault(name, List.of(otherwise)).get(0);
    }

    private void judge(HttpExchange exchange) throws IOException {
        String question = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String verdict = "{\"allow\":true}";
        if (question.contains("\"bad\"")) {
            verdict = "{\"allow\":false,\"reason\":\"mind your language\"}";
        } else if (question.contains("\"hm\"")) {
            verdict = "{\"hold\":true}";
        } else if (question.contains("\"LOUD\"")) {
            verdict = "{\"allow\":true,\"data\":\"loud\"}";
        }
        answer(exchange, 200, verdict);
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        try (exchange) {
            String type = body.startsWith("{") ? "application/json" : body.startsWith("<") ? "text/html" : "text/plain";
            exchange.getResponseHeaders().set("Content-Type", type);
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
