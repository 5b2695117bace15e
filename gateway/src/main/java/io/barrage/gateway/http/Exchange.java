package io.barrage.gateway.http;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One request and the means to answer it. Confined to the channel's event loop. */
public final class Exchange {
    private static final String HTTP = "http://";
    private static final int MAX_PARAMETERS = 1024;

    private final HttpConnection connection;
    private final HttpRequest request;
    private final String path;
    private final String rawPath;
    private final Map<String, List<String>> query;
    private boolean answered;

    /** @throws ProtocolException if the request's target isn't one */
    Exchange(HttpConnection connection, HttpRequest request) {
        this.connection = connection;
        this.request = request;
        if (isPlain(request.uri())) {
            this.path = request.uri();
            this.rawPath = path;
            this.query = Map.of();
            return;
        }
        try {
            // A semicolon separates nothing, as in browsers.
            QueryStringDecoder target =
                    new QueryStringDecoder(originForm(request), StandardCharsets.UTF_8, true, MAX_PARAMETERS, true);
            this.path = target.path();
            this.rawPath = target.rawPath();
            this.query = target.parameters();
        } catch (IllegalArgumentException ignored) {
            // Its message quotes the target, and that may hold a token.
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST,
                    "the request's target isn't well-formed: behind each % there are two hexadecimal digits");
        }
    }

    /** Whether the target is a path with nothing to decode and nothing behind it. */
    private static boolean isPlain(String target) {
        return target.startsWith("/") && target.indexOf('%') < 0 && target.indexOf('?') < 0 && target.indexOf('#') < 0;
    }

    /** The target without scheme and host, which proxies put before it (RFC 9112 section 3.2.2). */
    private static String originForm(HttpRequest request) {
        String target = request.uri();
        if (!target.regionMatches(true, 0, HTTP, 0, HTTP.length())) {
            return target;
        }
        int end = HTTP.length();
        while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        // Whoever may come here is judged by the Host field.
        if (!target.substring(HTTP.length(), end)
                .equalsIgnoreCase(request.headers().get(HttpHeaderNames.HOST, ""))) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "the request's target and its Host field differ");
        }
        String rest = target.substring(end);
        return rest.startsWith("/") ? rest : "/" + rest;
    }

    /** The target's path, decoded. */
    public String path() {
        return path;
    }

    /** The target's path as it was sent, percent-encoded. */
    public String rawPath() {
        return rawPath;
    }

    public HttpMethod method() {
        return request.method();
    }

    public HttpHeaders headers() {
        return request.headers();
    }

    /** The request as Netty has it. */
    public HttpRequest request() {
        return request;
    }

    public Channel channel() {
        return connection.channel();
    }

    /** All values of a query parameter, in order. */
    public List<String> parameters(String name) {
        return query.getOrDefault(name, List.of());
    }

    /**
     * The value of a query parameter that may stand once.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} if it stands more often
     */
    public @Nullable String parameter(String name) {
        List<String> values = parameters(name);
        if (values.size() > 1) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "query parameter '" + name + "' stands more than once");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /**
     * Refuses query parameters that nobody would read.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} if there is another than {@code known}
     */
    public void requireParameters(String... known) {
        List<String> names = List.of(known);
        for (String name : query.keySet()) {
            if (!names.contains(name)) {
                throw new ProtocolException(
                        ErrorCode.BAD_REQUEST,
                        "there is no query parameter " + Printable.of(name) + " here"
                                + (names.isEmpty() ? "" : ", but " + String.join(", ", names)));
            }
        }
    }

    /** The body's media type in lower case without parameters; empty without one. */
    public String contentType() {
        String value = headers().get(HttpHeaderNames.CONTENT_TYPE, "");
        int end = value.indexOf(';');
        return (end < 0 ? value : value.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }

    /**
     * Refuses other methods.
     *
     * @throws ProtocolException with {@link ErrorCode#METHOD_NOT_ALLOWED} if the method isn't one of {@code allowed}
     */
    public void requireMethod(HttpMethod... allowed) {
        if (!Set.of(allowed).contains(method())) {
            throw new MethodNotAllowed(List.of(allowed));
        }
    }

    boolean isAnswered() {
        return answered;
    }

    /** Answers. A second answer is a bug of ours and is dropped. */
    public void respond(Response response) {
        if (!answered) {
            answered = true;
            connection.write(this, response);
        }
    }

    /** Answers with a stream of unknown length. */
    public ResponseStream respondWithStream(String contentType) {
        answered = true;
        return connection.openStream(this, contentType);
    }

    /**
     * Reads no more of this request's body, which its sender notices as it would a slow network, until {@link #readOn}.
     *
     * @param nanos for how long, about: the connection isn't taken for idle meanwhile
     */
    public void holdReading(long nanos) {
        connection.hold(nanos);
    }

    /** Reads on. */
    public void readOn() {
        connection.release();
    }

    /**
     * Takes the channel away from HTTP, by {@code 101 Switching Protocols}.
     *
     * @param fields of that answer
     * @param replace puts the caller's handlers at the pipeline's end
     * @param begin called when HTTP's handlers are gone, to flush that answer and say whether to read on; what came behind the request
     *     follows it
     */
    public void takeOver(Map<String, String> fields, Runnable replace, Runnable begin) {
        answered = true;
        connection.takeOver(fields, replace, begin);
    }

    /** Control flow for {@link #requireMethod}: carries the methods for the {@code Allow} field. */
    static final class MethodNotAllowed extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final transient List<HttpMethod> allowed;

        MethodNotAllowed(List<HttpMethod> allowed) {
            super(null, null, false, false);
            this.allowed = allowed;
        }

        Response response(HttpMethod method) {
            String names =
                    String.join(", ", allowed.stream().map(HttpMethod::name).toList());
            return Problem.of(ErrorCode.METHOD_NOT_ALLOWED, method.name() + " isn't for this path; it takes " + names)
                    .with("allow", names);
        }
    }
}
