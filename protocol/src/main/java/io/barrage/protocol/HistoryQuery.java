package io.barrage.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Which part of a topic's history somebody asks for; what comes of it is in order, the oldest first, either way. Immutable.
 *
 * @param from the position behind which the part begins, or with {@code backwards} before which it ends; null for the oldest
 *     message that there is, or the newest
 * @param backwards whether it is the newest messages up to there that are wanted
 * @param limit the most that are wanted
 */
public record HistoryQuery(@Nullable Position from, boolean backwards, int limit) {
    /** Messages of an answer, where nobody says how many. */
    public static final int DEFAULT_LIMIT = 50;

    /** Most messages of an answer. */
    public static final int MAX_LIMIT = 1_000;

    /**
     * A query as it is written.
     *
     * @param since begin behind it; null without
     * @param before end before it; null without
     * @param last so many of the newest; 0 without
     * @param limit 0 without
     * @throws ProtocolException if they contradict each other
     */
    public static HistoryQuery of(@Nullable Position since, @Nullable Position before, long last, long limit) {
        if ((since == null ? 0 : 1) + (before == null ? 0 : 1) + (last == 0 ? 0 : 1) > 1) {
            throw JsonObjectReader.bad("a history is asked for by one of 'since', 'before' and 'last'");
        }
        if (last != 0 && limit != 0) {
            throw JsonObjectReader.bad("'last' says how many, and so does 'limit': one of them is enough");
        }
        long most = last != 0 ? last : limit != 0 ? limit : DEFAULT_LIMIT;
        if (most < 1 || most > MAX_LIMIT) {
            throw JsonObjectReader.bad(
                    '\'' + (last != 0 ? "last" : "limit") + "' must be 1 to " + MAX_LIMIT + ", found " + most);
        }
        return new HistoryQuery(before != null ? before : since, before != null || last != 0, (int) most);
    }
}
