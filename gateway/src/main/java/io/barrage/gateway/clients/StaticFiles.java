package io.barrage.gateway.clients;

import io.barrage.gateway.http.Response;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The few files that the gateway itself serves, read once from the jar. Immutable. */
final class StaticFiles {
    private static final String CLIENT = "/io/barrage/client/";
    private static final String DEMO = "/io/barrage/gateway/demo/";

    // The page needs nothing but its own files and its own gateway.
    private static final Map<String, String> PAGE_HEADERS = Map.of(
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
                    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "x-content-type-options",
            "nosniff",
            "referrer-policy",
            "no-referrer");

    private final Map<String, Response> files = new HashMap<>();

    StaticFiles(boolean withDemo) {
        add("/client/barrage.js", CLIENT + "barrage.js", "text/javascript; charset=utf-8");
        add("/client/barrage.d.ts", CLIENT + "barrage.d.ts", "text/plain; charset=utf-8");
        if (withDemo) {
            add("/", DEMO + "index.html", "text/html; charset=utf-8");
            add("/demo/demo.js", DEMO + "demo.js", "text/javascript; charset=utf-8");
            add("/demo/crowd.js", DEMO + "crowd.js", "text/javascript; charset=utf-8");
            add("/demo/demo.css", DEMO + "demo.css", "text/css; charset=utf-8");
        }
    }

    private void add(String path, String resource, String contentType) {
        try (InputStream in = StaticFiles.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("not in the jar: " + resource);
            }
            byte[] body = in.readAllBytes();
            String tag = '"' + HexFormat.of().formatHex(sha256(body), 0, 12) + '"';
            Map<String, String> headers = new HashMap<>(PAGE_HEADERS);
            headers.put("etag", tag);
            headers.put("cache-control", "no-cache");
            files.put(path, new Response(HttpResponseStatus.OK, contentType, body, headers));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    boolean has(String path) {
        return files.containsKey(path);
    }

    /** The file, or {@code 304} if the client says with {@code If-None-Match} that it has it (RFC 9110 section 13.1.2). */
    Response get(String path, @Nullable String ifNoneMatch) {
        Response file = files.get(path);
        if (file == null) {
            throw new IllegalArgumentException("no file at " + path);
        }
        if (ifNoneMatch != null
                && ifNoneMatch.contains(String.valueOf(file.headers().get("etag")))) {
            return new Response(HttpResponseStatus.NOT_MODIFIED, file.contentType(), new byte[0], file.headers());
        }
        return file;
    }
}
