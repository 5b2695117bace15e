package io.barrage.gateway.hub;

import java.util.ArrayDeque;

/** The streams whose logs may drop what all have read. Confined to its event loop. */
final class Settling {
    private final ArrayDeque<Stream> streams = new ArrayDeque<>();

    /** A stream may have been read to its end. */
    void add(Stream stream) {
        if (!stream.settling) {
            stream.settling = true;
            streams.add(stream);
        }
    }

    /**
     * Lets logs drop what all have read. Not to be called while some that keep up wait for their turn, since they stand among
     * those that have read all.
     *
     * @param keepNothing whether memory is too short for busy streams to keep a segment for their next messages
     */
    void settle(boolean keepNothing) {
        while (!streams.isEmpty()) {
            Stream stream = streams.remove();
            stream.settling = false;
            SubscriptionList list = stream.subscriptions;
            if (!stream.closed && !stream.inRing && stream.wait == null && list.caughtUp() == list.size()) {
                stream.log.clear(list.size() >= Stream.BUSY && !keepNothing);
            }
        }
    }
}
