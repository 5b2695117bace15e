package io.barrage.gateway.clients;

import io.barrage.gateway.http.Exchange;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Position;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for with its first request. Immutable.
 *
 * @param token null if none came with it
 * @param user what it calls itself; null if it doesn't
 * @param origin of the page that it runs in; null outside of browsers
 * @param batch whether it takes several messages in one frame
 * @param topics that it wants to be on, as they were sent
 * @param since where it was on those
 * @param mistakes in the query that cost it no more than what they stand for
 */
record Opening(
        @Nullable String token,
        @Nullable String user,
        @Nullable String origin,
        boolean batch,
        List<String> topics,
        Map<String, Position> since,
        List<ProtocolException> mistakes) {

    /** What the subprotocol begins with that carries a token: a browser can send no header of its own. */
    private static final String TOKEN_PROTOCOL = "token.";

    /** Of one of which nothing is known any more. */
    static final Opening FORGOTTEN = new Opening(null, null, null, false, List.of(), Map.of(), List.of());

    /** What of it still counts when the client says later who it is. */
    Opening forLater() {
        return origin == null && since.isEmpty()
                ? FORGOTTEN
                : new Opening(null, user, origin, batch, List.of(), since, List.of());
    }

    /**
     * Reads the query of a request.
     *
     * @throws ProtocolException if there is a mistake with which the client would get something else than it wants
     */
    static Opening of(Exchange exchange) {
        Map<String, Position> since = new HashMap<>();
        List<ProtocolException> mistakes = new ArrayList<>();
        for (String text : exchange.parameters("since")) {
            try {
                Position.OfTopic position = Position.OfTopic.parse(text);
                since.put(position.topic().toString(), position.position());
            } catch (ProtocolException e) {
                mistakes.add(e);
            }
        }
        return new Opening(
                token(exchange),
                exchange.parameter("user"),
                exchange.headers().get("origin"),
                batch(exchange.parameter("batch")),
                exchange.parameters("topic"),
                since,
                mistakes);
    }

    /** The token of the query, or of the subprotocols that are offered. */
    private static @Nullable String token(Exchange exchange) {
        List<String> tokens = new ArrayList<>(exchange.parameters("token"));
        for (String offered : UpgradeHandler.offeredProtocols(exchange.headers())) {
            if (offered.startsWith(TOKEN_PROTOCOL)) {
                tokens.add(offered.substring(TOKEN_PROTOCOL.length()));
            }
        }
        if (tokens.size() > 1) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST, "more than one token: it comes in the query or as a subprotocol, once");
        }
        return tokens.isEmpty() ? null : tokens.get(0);
    }

    private static boolean batch(@Nullable String batch) {
        if (batch == null || batch.equals("0")) {
            return false;
        }
        if (batch.equals("1")) {
            return true;
        }
        throw new ProtocolException(
                ErrorCode.BAD_REQUEST, "query parameter 'batch' is 1 or 0, not " + Printable.of(batch));
    }
}
