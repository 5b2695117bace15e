package io.barrage.gateway.clients;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code Sec-WebSocket-Extensions} (RFC 6455 section 9.1) for an offer of permessage-deflate that the gateway can meet
 * (RFC 7692 section 7.1), and answers it. Neither side keeps its window between messages: the gateway's frames go to many, and
 * a window for each client would be memory for each client.
 *
 * <p>Confined to the call of {@link #answer}.
 */
final class DeflateOffer {
    private static final String NAME = "permessage-deflate";
    private static final String SERVER_NO_TAKEOVER = "server_no_context_takeover";
    private static final String CLIENT_NO_TAKEOVER = "client_no_context_takeover";
    private static final String SERVER_WINDOW = "server_max_window_bits";
    private static final String CLIENT_WINDOW = "client_max_window_bits";

    /** The only window that java.util.zip.Deflater has. */
    private static final String WINDOW_BITS = "15";

    private static final Set<String> WINDOWS = Set.of("8", "9", "10", "11", "12", "13", "14", WINDOW_BITS);

    private static final String ANSWER = NAME + "; " + SERVER_NO_TAKEOVER + "; " + CLIENT_NO_TAKEOVER;

    private final String field;
    private int at;

    private DeflateOffer(String field) {
        this.field = field;
    }

    /**
     * The answer's {@code Sec-WebSocket-Extensions}; null if no offer can be met.
     *
     * @param fields the request's header fields of that name; one list, however many they are
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} if one isn't well-formed
     */
    static @Nullable String answer(List<String> fields) {
        String answer = null;
        for (String field : fields) {
            // All are read, so that what is malformed is refused wherever it stands.
            String found = new DeflateOffer(field).firstAnswer();
            answer = answer == null ? found : answer;
        }
        return answer;
    }

    private @Nullable String firstAnswer() {
        String answer = null;
        do {
            skipSpace();
            // Lists may have empty elements (RFC 9110 section 5.6.1).
            if (at < field.length() && field.charAt(at) != ',') {
                String found = readExtension();
                answer = answer == null ? found : answer;
            }
        } while (skip(','));
        if (at < field.length()) {
            throw malformed();
        }
        return answer;
    }

    /** Reads an extension with its parameters; gives the answer to it, if there is one. */
    private @Nullable String readExtension() {
        boolean acceptable = readToken().equals(NAME);
        Map<String, String> parameters = new HashMap<>();
        skipSpace();
        while (skip(';')) {
            skipSpace();
            String parameter = readToken();
            skipSpace();
            String value = "";
            if (skip('=')) {
                skipSpace();
                value = readValue();
                skipSpace();
            }
            acceptable &= isAcceptable(parameter, value) && parameters.put(parameter, value) == null;
        }
        if (!acceptable) {
            return null;
        }
        return parameters.containsKey(SERVER_WINDOW) ? ANSWER + "; " + SERVER_WINDOW + "=" + WINDOW_BITS : ANSWER;
    }

    /** @param value empty if there is none, which no value is */
    private static boolean isAcceptable(String parameter, String value) {
        return switch (parameter) {
            case SERVER_NO_TAKEOVER, CLIENT_NO_TAKEOVER -> value.isEmpty();
            case SERVER_WINDOW -> value.equals(WINDOW_BITS);
            // Only says that we may limit the client's window; ours takes the largest.
            case CLIENT_WINDOW -> value.isEmpty() || isWindowBits(value);
            default -> false;
        };
    }

    private static boolean isWindowBits(String value) {
        return WINDOWS.contains(value);
    }

    // ---------------------------------------------------------------- the grammar

    private String readToken() {
        int from = at;
        while (at < field.length() && isTokenChar(field.charAt(at))) {
            at++;
        }
        if (at == from) {
            throw malformed();
        }
        return field.substring(from, at);
    }

    /** A token, perhaps in quotes: unquoted it must be one all the same (RFC 6455 section 9.1). */
    private String readValue() {
        if (!skip('"')) {
            return readToken();
        }
        StringBuilder value = new StringBuilder();
        while (!skip('"')) {
            skip('\\');
            if (at == field.length() || !isTokenChar(field.charAt(at))) {
                throw malformed();
            }
            value.append(field.charAt(at++));
        }
        if (value.isEmpty()) {
            throw malformed();
        }
        return value.toString();
    }

    private static boolean isTokenChar(char c) {
        return c > ' ' && c < 0x7f && "()<>@,;:\\\"/[]?={}".indexOf(c) < 0;
    }

    private boolean skip(char c) {
        if (at < field.length() && field.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private void skipSpace() {
        while (skip(' ') || skip('\t')) {
            // More than one may stand there.
        }
    }

    private ProtocolException malformed() {
        return new ProtocolException(
                ErrorCode.BAD_REQUEST,
                "Sec-WebSocket-Extensions isn't well-formed at character " + (at + 1) + ": " + Printable.of(field));
    }
}
