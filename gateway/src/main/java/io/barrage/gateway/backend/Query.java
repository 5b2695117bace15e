package io.barrage.gateway.backend;

import io.barrage.gateway.http.Exchange;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The query parameters of a request; a mistake in one is told with its name. Confined to its channel's event loop. */
public final class Query {
    private final Exchange exchange;
    private final List<String> known;

    /** @throws ProtocolException if there is another parameter than {@code known} */
    Query(Exchange exchange, String... known) {
        this.exchange = exchange;
        this.known = List.of(known);
        exchange.requireParameters(known);
    }

    /**
     * A parameter's value, null if it isn't there.
     *
     * @param reader may throw {@link ProtocolException}
     * @throws ProtocolException if it isn't one, or stands twice
     */
    public <T> @Nullable T get(String name, Function<String, T> reader) {
        if (!known.contains(name)) {
            throw new IllegalArgumentException(name + " isn't among " + known);
        }
        String text = exchange.parameter(name);
        if (text == null) {
            return null;
        }
        try {
            return reader.apply(text);
        } catch (ProtocolException e) {
            throw new ProtocolException(e.code(), "query parameter '" + name + "': " + e.getMessage());
        }
    }

    /** The parameter {@code limit}: a number from 1 to {@code most}. */
    public int limit(int unlessSaid, int most) {
        Integer limit = get("limit", text -> {
            int number = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : 0;
            if (number < 1 || number > most) {
                throw new ProtocolException(
                        ErrorCode.BAD_REQUEST, "it is a number from 1 to " + most + ", not " + Printable.of(text));
            }
            return number;
        });
        return limit == null ? unlessSaid : limit;
    }
}
