package io.barrage.gateway.backend;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a page of a list ends with, so that the next one can begin there: some words, which callers can't read by chance and so
 * don't come to rely on. Stateless.
 */
final class Cursor {
    private Cursor() {}

    /** @param words none of which has a space */
    static String of(Object... words) {
        String text = Stream.of(words).map(Object::toString).collect(Collectors.joining(" "));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The words of a cursor behind its first ones.
     *
     * @param first what it must begin with: which list, in which order, and since when
     * @throws ProtocolException if it isn't one of these
     */
    static List<String> read(String cursor, Object... first) {
        try {
            String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
            List<String> words = Arrays.asList(text.split(" ", -1));
            List<String> expected = Stream.of(first).map(Object::toString).toList();
            if (words.size() > expected.size()
                    && words.subList(0, expected.size()).equals(expected)) {
                return words.subList(expected.size(), words.size());
            }
        } catch (IllegalArgumentException ignored) {
            // Not Base64: as bad as any other.
        }
        throw notOurs();
    }

    /** The mistake of a cursor that wasn't given for this list. */
    static ProtocolException notOurs() {
        return new ProtocolException(
                ErrorCode.BAD_REQUEST,
                "it is none that this node has given for this list since its start; begin without");
    }
}
