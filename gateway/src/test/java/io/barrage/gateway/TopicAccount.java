package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one client was told of one topic. It fails unless each offset is told once, in order, as a message or within a gap, and
 * unless all comes that a recovery has promised. For one thread.
 */
final class TopicAccount {
    private final String topic;
    private final Map<String, Long> missed = new HashMap<>();
    private final List<Long> gifts = new ArrayList<>();
    private final List<long[]> gaps = new ArrayList<>();
    private String epoch = "";
    private long next;
    private long promisedThrough;
    private long messages;
    private long hidden;

    TopicAccount(String topic) {
        this.topic = topic;
    }

    /** Where a client that comes back goes on. */
    String position() {
        return topic + "@" + epoch + ":" + (next - 1);
    }

    /** As {@link #position}, for a frame. */
    String since() {
        return "{\"epoch\":\"" + epoch + "\",\"offset\":" + (next - 1) + "}";
    }

    /** The offset that must be told next. */
    long next() {
        return next;
    }

    long messages() {
        return messages;
    }

    long hidden() {
        return hidden;
    }

    /** Offsets of the critical messages. */
    List<Long> gifts() {
        return gifts;
    }

    /** Gaps, as first and last offset. */
    List<long[]> gaps() {
        return gaps;
    }

    /** How many messages were told as missing for a reason. */
    long missed(String reason) {
        return missed.getOrDefault(reason, 0L);
    }

    /** The data of a {@code message}. */
    static String data(String frame) {
        return frame.substring(frame.indexOf("\"data\":") + 7, frame.length() - 1);
    }

    /** The number in a frame's field, which doesn't stand in its data, or -1. */
    static long number(String frame, String field) {
        String key = "\"" + field + "\":";
        int from = frame.indexOf(key);
        int data = frame.indexOf("\"data\":");
        if (from < 0 || (data >= 0 && data < from)) {
            return -1;
        }
        int at = from + key.length();
        int to = at;
        while (to < frame.length() && Character.isDigit(frame.charAt(to))) {
            to++;
        }
        return Long.parseLong(frame.substring(at, to));
    }

    static boolean isOf(String type, String frame) {
        return frame.startsWith("{\"type\":\"" + type + "\"");
    }

    /** Takes a frame of the topic. */
    TopicAccount take(String frame) {
        assertTrue(frame.contains("\"topic\":\"" + topic + "\""), frame);
        if (isOf("subscribed", frame)) {
            takeSubscribed(frame);
        } else if (isOf("message", frame)) {
            takeMessage(frame);
        } else {
            assertTrue(isOf("gap", frame), frame);
            takeGap(frame);
        }
        return this;
    }

    private void takeSubscribed(String frame) {
        epoch = GatewayUnderTest.find("\"epoch\":\"(\\w+)\"", frame);
        long head = number(frame, "offset");
        if (frame.contains("\"recovered\":true")) {
            assertTrue(next <= head + 1, () -> "recovered beyond the head, at " + next + ": " + frame);
            promisedThrough = head;
        } else {
            next = head + 1;
            promisedThrough = 0;
        }
    }

    private void takeMessage(String frame) {
        long offset = number(frame, "offset");
        hidden += Math.max(0, number(frame, "hidden"));
        if (offset < 0) {
            return; // a hidden line that goes back to its sender
        }
        assertEquals(next, offset, frame);
        next++;
        messages++;
        if (frame.contains(",\"priority\":\"critical\",")) {
            gifts.add(offset);
        }
    }

    private void takeGap(String frame) {
        long count = number(frame, "count");
        String reason = GatewayUnderTest.find("\"reason\":\"(\\w+)\"", frame);
        if (reason.equals("hidden")) {
            hidden += count;
            return;
        }
        assertEquals(next, number(frame, "from"), frame);
        // One that asks for less before it has all that was recovered takes the promise back.
        assertTrue(
                next > promisedThrough || reason.equals("attention"),
                () -> "recovered up to " + promisedThrough + ", but " + frame);
        long to = number(frame, "to");
        assertEquals(to - next + 1, count, frame);
        assertTrue(count > 0, frame);
        gaps.add(new long[] {next, to});
        missed.merge(reason, count, Long::sum);
        next = to + 1;
    }

    @Override
    public String toString() {
        return topic + " next " + next + ", " + messages + " messages, missed " + missed + ", hidden " + hidden;
    }
}
