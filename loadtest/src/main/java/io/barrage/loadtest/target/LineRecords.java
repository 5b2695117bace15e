package io.barrage.loadtest.target;

import io.netty.buffer.ByteBuf;

/**
 * Records that are lines: a WebSocket message holds one, or several with newlines between them. Immutable.
 */
final class LineRecords implements Records {
    private final byte[] deliveryPrefix;

    /** @param deliveryPrefix what a line starts with if it delivers a message */
    LineRecords(byte[] deliveryPrefix) {
        this.deliveryPrefix = deliveryPrefix.clone();
    }

    @Override
    public int end(ByteBuf in, int index, int end) {
        int newline = in.indexOf(index, end, (byte) '\n');
        return newline < 0 ? -1 : newline + 1;
    }

    @Override
    public boolean endWithMessage() {
        return true;
    }

    @Override
    public boolean isDelivery(ByteBuf in, int index, int end) {
        if (end - index < deliveryPrefix.length) {
            return false;
        }
        // Lines of one protocol begin alike and differ further on.
        for (int i = deliveryPrefix.length - 1; i >= 0; i--) {
            if (in.getByte(index + i) != deliveryPrefix[i]) {
                return false;
            }
        }
        return true;
    }
}
