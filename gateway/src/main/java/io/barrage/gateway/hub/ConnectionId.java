package io.barrage.gateway.hub;

/** A connection's name: that of its node's life, and its number there. Stateless. */
public final class ConnectionId {
    private static final char BETWEEN = '-';

    private ConnectionId() {}

    public static String of(String node, long number) {
        return node + BETWEEN + Long.toString(number, Character.MAX_RADIX);
    }

    /** The number of a connection of {@code node}; -1 if that has none of this name. */
    public static long number(String node, String id) {
        String start = node + BETWEEN;
        if (id.startsWith(start)) {
            try {
                long number = Long.parseLong(id, start.length(), id.length(), Character.MAX_RADIX);
                // There is one way to write it.
                return of(node, number).equals(id) ? number : -1;
            } catch (NumberFormatException ignored) {
                // Not a number: as good as none.
            }
        }
        return -1;
    }
}
