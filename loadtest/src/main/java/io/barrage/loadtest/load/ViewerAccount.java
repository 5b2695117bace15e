package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Bytes;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** What one viewer of a room has seen: two are equal if they saw the same, in the same order. Confined to its event loop. */
final class ViewerAccount {
    private static final byte[] HIDDEN = ",\"hidden\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PRIORITY_CRITICAL = ",\"priority\":\"critical\"".getBytes(StandardCharsets.US_ASCII);
    private static final long FNV_PRIME = 0x100000001b3L;

    private long hash = 0xcbf29ce484222325L;
    private long messages;
    private long critical;
    private long criticalOffsets;
    private long hidden;

    /** Takes a {@code message} frame; borrows it. */
    void message(ByteBuf frame, int index, int length) {
        int end = index + length;
        int data = Bytes.indexOf(frame, index, end, OffsetFrames.DATA);
        long offset = data < 0 ? -1 : number(frame, index, data, OffsetFrames.OFFSET);
        if (offset < 0) {
            hash = ~hash; // nothing like it was published: no longer equal to anybody
            return;
        }
        messages++;
        mix(offset);
        for (int i = data + OffsetFrames.DATA.length; i < end - 1; i++) {
            mix(frame.getByte(i));
        }
        hidden += Math.max(0, number(frame, index, data, HIDDEN));
        if (Bytes.indexOf(frame, index, data, PRIORITY_CRITICAL) >= 0) {
            critical++;
            criticalOffsets += spread(offset);
        }
    }

    /** A gap said that so many messages were hidden. */
    void hidden(long count) {
        hidden += count;
    }

    private void mix(long value) {
        hash = (hash ^ value) * FNV_PRIME;
    }

    /** An offset as a number whose sum with others tells which they were, in any order. */
    static long spread(long offset) {
        long mixed = (offset + 1) * 0x9e3779b97f4a7c15L;
        return (mixed ^ (mixed >>> 32)) * 0xd6e8feb86659fd93L;
    }

    private static long number(ByteBuf frame, int from, int to, byte[] name) {
        int at = Bytes.indexOf(frame, from, to, name);
        return at < 0 ? -1 : Bytes.decimal(frame, at + name.length);
    }

    /** A hash of every offset and data, in their order. */
    long hash() {
        return hash;
    }

    long messages() {
        return messages;
    }

    long critical() {
        return critical;
    }

    /** The sum of {@link #spread} over the critical messages. */
    long criticalOffsets() {
        return criticalOffsets;
    }

    /** How many messages the frames said were hidden. */
    long hidden() {
        return hidden;
    }
}
