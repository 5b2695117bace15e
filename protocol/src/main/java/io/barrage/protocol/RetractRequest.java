package io.barrage.protocol;

import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which messages of a topic a backend takes back: some by offset, or all that are kept of one sender. Immutable.
 *
 * @param offsets ascending, none twice; empty if it is a sender's
 * @param sender null if it is by offset
 */
public record RetractRequest(List<Long> offsets, @Nullable String sender) {
    /** Most offsets of one request. */
    public static final int MAX_OFFSETS = 1_000;

    /**
     * Reads {@code {"offsets":[18,19]}} or {@code {"sender":"u7"}}.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong
     */
    public static RetractRequest parse(byte[] text) {
        List<Long> offsets = null;
        String sender = null;
        try (JsonObjectReader json = JsonObjectReader.open(text)) {
            for (String field = json.nextField(); field != null; field = json.nextField()) {
                switch (field) {
                    case "offsets" -> offsets = json.integers(MAX_OFFSETS, 1, Position.MAX_OFFSET);
                    case "sender" -> sender = UserName.check(json.string());
                    default -> json.skip();
                }
            }
        }
        if ((offsets == null) == (sender == null)) {
            throw JsonObjectReader.bad("a retraction needs either 'offsets' or 'sender'");
        }
        if (offsets != null && offsets.isEmpty()) {
            throw JsonObjectReader.bad("field 'offsets' is empty");
        }
        return new RetractRequest(offsets == null ? List.of() : List.copyOf(new TreeSet<>(offsets)), sender);
    }
}
