package io.barrage.loadtest.load;

/** What the subscribers of one event loop have read from their sockets. Confined to its event loop. */
final class ReceiveCounters {
    /** Reads that gave at least one byte of the WebSocket stream. */
    long reads;

    long bytes;
    long messages;

    /** Pings of the gateway, each of which got its pong. */
    long pings;

    /** A copy for another thread. */
    Snapshot snapshot() {
        return new Snapshot(reads, bytes, messages);
    }

    /** The counts at one moment. Immutable. */
    record Snapshot(long reads, long bytes, long messages) {
        static final Snapshot ZERO = new Snapshot(0, 0, 0);

        Snapshot plus(Snapshot other) {
            return new Snapshot(reads + other.reads, bytes + other.bytes, messages + other.messages);
        }

        Snapshot minus(Snapshot other) {
            return new Snapshot(reads - other.reads, bytes - other.bytes, messages - other.messages);
        }
    }
}
