package io.barrage.gateway.backend;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request that its caller may make. Confined to its channel's event loop.
 *
 * @param path what stands at the route's places, decoded, by their names
 */
public record Call(Exchange exchange, Caller caller, Map<String, String> path) {
    private static final Logger log = LoggerFactory.getLogger(Call.class);

    private static final String USER_PREFIX = TopicName.USER_NAMESPACE + ":";

    /** What stands at a place of the route's path. */
    public String path(String place) {
        String value = path.get(place);
        if (value == null) {
            throw new IllegalArgumentException("the route has no place {" + place + "}, but " + path.keySet());
        }
        return value;
    }

    /**
     * The topic that the path names at <code>{topic}</code>; <code>$user:u7</code> is that of the pushes to a user.
     *
     * @throws ProtocolException if it isn't a topic's name
     */
    public TopicName topic() {
        return topicOf(path("topic"));
    }

    /**
     * The topic of a name; <code>$user:u7</code> is that of the pushes to a user.
     *
     * @throws ProtocolException if it isn't a topic's name
     */
    static TopicName topicOf(String name) {
        return name.startsWith(USER_PREFIX)
                ? TopicName.ofUser(name.substring(USER_PREFIX.length()))
                : TopicName.of(name);
    }

    /**
     * The user that the path names at <code>{user}</code>.
     *
     * @throws ProtocolException if it isn't a user's name
     */
    public String user() {
        return UserName.check(path("user"));
    }

    /**
     * The query's parameters.
     *
     * @param known all that there may be
     * @throws ProtocolException if there is another one, or one of them twice
     */
    public Query query(String... known) {
        return new Query(exchange, known);
    }

    /**
     * Reads a body that is one JSON document.
     *
     * @param then gets its bytes, and may throw {@link ProtocolException}
     * @throws ProtocolException if the body says that it is something else
     */
    public BodyReader json(int maxBytes, Consumer<byte[]> then) {
        requireIdentity();
        // Without a type it would be what any page in a browser can send.
        if (!exchange.contentType().equals("application/json")) {
            throw new ProtocolException(
                    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                    "this request's body is application/json: set the Content-Type field");
        }
        return BodyReader.whole(maxBytes, then);
    }

    /** Refuses bodies that would have to be unpacked. */
    void requireIdentity() {
        if (!"identity".equalsIgnoreCase(exchange.headers().get(HttpHeaderNames.CONTENT_ENCODING, "identity"))) {
            throw new ProtocolException(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "a body is sent without Content-Encoding");
        }
    }

    /**
     * Answers when {@code result} is there, on whatever thread it comes. A {@link ProtocolException} in it becomes its problem
     * document, anything else that went wrong is a bug.
     *
     * @param response made on the channel's event loop
     */
    public <T> void answer(CompletableFuture<T> result, Function<? super T, Response> response) {
        if (result.isDone()) {
            exchange.respond(response(result, response));
        } else {
            result.whenCompleteAsync(
                    (ignored, failure) -> exchange.respond(response(result, response)),
                    exchange.channel().eventLoop());
        }
    }

    private <T> Response response(CompletableFuture<T> result, Function<? super T, Response> response) {
        try {
            return response.apply(result.join());
        } catch (ProtocolException e) {
            return Problem.of(e);
        } catch (RuntimeException e) {
            if (cause(e) instanceof ProtocolException mistake) {
                return Problem.of(mistake);
            }
            log.error("A request failed by a bug of ours. path={}", exchange.path(), e);
            return Problem.of(ErrorCode.INTERNAL, "the gateway failed to handle this request");
        }
    }

    private static @Nullable Throwable cause(RuntimeException e) {
        return e instanceof CompletionException ? e.getCause() : null;
    }
}
