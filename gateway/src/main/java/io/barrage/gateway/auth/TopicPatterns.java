package io.barrage.gateway.auth;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import java.util.List;

/** The topics that a token speaks of: exact names, and beginnings that end in one {@code *}. Immutable. */
public final class TopicPatterns {
    /** No topic. */
    public static final TopicPatterns NONE = new TopicPatterns(List.of());

    /** Patterns of one claim: each subscription looks through them. */
    public static final int MAX_PATTERNS = 1_000;

    private final List<String> patterns;

    private TopicPatterns(List<String> patterns) {
        this.patterns = List.copyOf(patterns);
    }

    /**
     * Reads patterns: {@code room:42}, {@code room:*}, {@code *}.
     *
     * @throws ProtocolException if one is neither a topic's name nor the beginning of one with a {@code *} behind it
     */
    public static TopicPatterns of(List<String> patterns) {
        if (patterns.size() > MAX_PATTERNS) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "more than " + MAX_PATTERNS + " topic patterns");
        }
        patterns.forEach(TopicPatterns::check);
        return new TopicPatterns(patterns);
    }

    private static void check(String pattern) {
        String name = pattern.endsWith("*") ? pattern.substring(0, pattern.length() - 1) : pattern;
        if (!pattern.equals("*")) {
            try {
                TopicName.of(name);
            } catch (ProtocolException e) {
                throw new ProtocolException(
                        e.code(),
                        "topic pattern " + Printable.of(pattern)
                                + " is neither a topic nor the beginning of one and *: " + e.getMessage());
            }
        }
    }

    /** Whether one of them is the topic's name, or its beginning. Never for a {@code $user} topic: nobody is granted those. */
    public boolean match(TopicName topic) {
        String name = topic.toString();
        if (name.startsWith("$")) {
            return false;
        }
        for (String pattern : patterns) {
            int end = pattern.length() - 1;
            if (pattern.endsWith("*") ? name.startsWith(pattern.substring(0, end)) : name.equals(pattern)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return patterns.toString();
    }
}
