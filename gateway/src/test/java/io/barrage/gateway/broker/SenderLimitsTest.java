package io.barrage.gateway.broker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ErrorCode;
import org.junit.jupiter.api.Test;

class SenderLimitsTest {
    private static final long SECOND = 1_000_000_000;

    // Shortly before the clock wraps round.
    private long now = Long.MAX_VALUE - 2 * SECOND;
    private SenderLimits limits = limits("perSender: 1/s");

    private static SenderLimits limits(String yaml) {
        SenderLimits limits = SenderLimits.of(ConfigReader.parse(SenderLimitsConfig.class, "{" + yaml + "}"), 3);
        assertNotNull(limits);
        return limits;
    }

    /** Says it; gives the refusal. */
    private PublishResult.Refused say(String sender, String data) {
        byte[] bytes = data.getBytes(UTF_8);
        PublishResult.Refused refusal = limits.refusal(sender, bytes, now);
        if (refusal == null) {
            limits.said(sender, bytes, now);
        }
        return refusal;
    }

    private void accepts(String sender, String data) {
        assertNull(say(sender, data));
    }

    private void refuses(ErrorCode code, long millis, String sender, String data) {
        PublishResult.Refused refusal = say(sender, data);
        assertNotNull(refusal);
        assertEquals(code, refusal.code());
        assertEquals(millis, refusal.retryAfterMillis());
        assertTrue(refusal.message().contains(millis + " ms"), refusal.message());
    }

    @Test
    void areNoneWithoutARule() {
        assertNull(SenderLimits.of(ConfigReader.parse(SenderLimitsConfig.class, "{}")));
    }

    @Test
    void letEachSenderSpeakOncePerInterval() {
        accepts("a", "1");
        accepts("b", "1");
        refuses(ErrorCode.RATE_LIMITED, 1_000, "a", "2");
        now += SECOND / 4 - 1;
        refuses(ErrorCode.RATE_LIMITED, 751, "a", "2");
        now += 3 * SECOND / 4;
        refuses(ErrorCode.RATE_LIMITED, 1, "a", "2");
        now += 1;
        // Refusals have cost nothing.
        accepts("a", "2");
        refuses(ErrorCode.RATE_LIMITED, 1_000, "a", "3");
    }

    @Test
    void nameTheLimit() {
        limits = limits("perSender: 2/m");
        accepts("a", "1");
        PublishResult.Refused refusal = say("a", "2");
        assertNotNull(refusal);
        assertEquals("a sender may publish 2/m on this topic (slow mode): try again in 30000 ms", refusal.message());
    }

    @Test
    void letASecondsWorthComeAtOnce() {
        limits = limits("perSender: 5/s");
        for (int i = 0; i < 5; i++) {
            accepts("a", "x");
        }
        refuses(ErrorCode.RATE_LIMITED, 200, "a", "x");
        now += SECOND / 5;
        accepts("a", "x");
        refuses(ErrorCode.RATE_LIMITED, 200, "a", "x");
        now += 10 * SECOND;
        for (int i = 0; i < 5; i++) {
            accepts("a", "x");
        }
        refuses(ErrorCode.RATE_LIMITED, 200, "a", "x");
    }

    @Test
    void holdTheirRateForLong() {
        limits = limits("perSender: 5/s");
        int accepted = 0;
        for (int i = 0; i < 10_000; i++) { // a hundred seconds at a hundred a second
            accepted += say("a", "x") == null ? 1 : 0;
            now += SECOND / 100;
        }
        assertEquals(5 * 100 + 4, accepted);
    }

    @Test
    void refuseTheSameWithinTheWindow() {
        limits = limits("repeatWindow: 30s");
        accepts("a", "hello");
        accepts("b", "hello");
        refuses(ErrorCode.REPEATED, 30_000, "a", "hello");
        now += 29 * SECOND;
        refuses(ErrorCode.REPEATED, 1_000, "a", "hello");
        now += SECOND;
        // A refused line doesn't prolong it.
        accepts("a", "hello");
        accepts("a", "hello!");
        // Only the last one counts.
        accepts("a", "hello");
        refuses(ErrorCode.REPEATED, 30_000, "a", "hello");
    }

    @Test
    void compareAllBytes() {
        limits = limits("repeatWindow: 30s");
        String longText = "x".repeat(60_000);
        accepts("a", longText + "1");
        accepts("a", longText + "2");
        accepts("a", "2" + longText);
        refuses(ErrorCode.REPEATED, 30_000, "a", "2" + longText);
    }

    @Test
    void sayTheSlowerOfBothFirst() {
        limits = limits("perSender: 1/s, repeatWindow: 30s");
        accepts("a", "x");
        refuses(ErrorCode.RATE_LIMITED, 1_000, "a", "x");
        now += SECOND;
        refuses(ErrorCode.REPEATED, 29_000, "a", "x");
        accepts("a", "y");
    }

    @Test
    void forgetSendersWhenTheyCantMatter() {
        limits = limits("perSender: 1/s, repeatWindow: 10s");
        accepts("a", "x");
        now += SECOND;
        accepts("b", "x");
        now += 9 * SECOND - 1;
        limits.forgetOld(now);
        assertEquals(2, limits.size());
        now += 1;
        limits.forgetOld(now);
        assertEquals(1, limits.size());
        now += SECOND;
        // Another's word does it as well.
        accepts("c", "x");
        assertEquals(1, limits.size());
    }

    @Test
    void rememberSoManySendersAndForgetTheSilentOnesFirst() {
        limits = limits("perSender: 1/h");
        for (String sender : new String[] {"a", "b", "c", "d"}) {
            accepts(sender, "x");
        }
        assertEquals(3, limits.size());
        accepts("a", "x");
        assertNotNull(say("c", "x"));
        assertNotNull(say("d", "x"));
        accepts("b", "x");
    }
}
