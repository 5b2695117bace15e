package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class OffsetAccountTest {
    private final OffsetAccount account = new OffsetAccount(10);

    @Test
    void isExactWhenMessagesAndGapsCoverEachOffsetOnce() {
        account.message(11);
        account.gap(12, 14);
        account.gap(15, 15);
        account.message(16);
        assertTrue(account.exact());
        assertTrue(account.reached(16));
        assertFalse(account.reached(17));
        assertEquals(2, account.delivered());
        assertEquals(4, account.missed());
        assertEquals(2, account.gaps());
    }

    @Test
    void owesNothingUpToItsSubscription() {
        assertTrue(account.reached(10));
        assertFalse(account.reached(11));
    }

    @Test
    void findsAHole() {
        account.message(11);
        account.message(13);
        assertFalse(account.exact());
        assertEquals("hole: message 13..13 where 12 was due", account.objection(0));
    }

    @Test
    void findsAHoleBeforeAGapAndAtTheBeginning() {
        account.gap(12, 13);
        assertEquals("hole: gap 12..13 where 11 was due", account.objection(0));
    }

    @Test
    void findsARepeat() {
        account.message(11);
        account.message(11);
        assertEquals("overlap: message 11..11 where 12 was due", account.objection(0));
    }

    @Test
    void findsDisorder() {
        account.message(12);
        account.message(11);
        assertFalse(account.exact());
        assertFalse(account.reached(13));
    }

    @Test
    void findsAGapOverADelivery() {
        account.message(11);
        account.message(12);
        account.gap(12, 13);
        assertEquals("overlap: gap 12..13 where 13 was due", account.objection(0));
    }

    @Test
    void findsGapsThatOverlap() {
        account.gap(11, 13);
        account.gap(13, 14);
        assertEquals("overlap: gap 13..14 where 14 was due", account.objection(0));
    }

    @Test
    void findsADeliveryWithinAGap() {
        account.gap(11, 13);
        account.message(12);
        assertEquals("overlap: message 12..12 where 14 was due", account.objection(0));
    }

    @Test
    void findsAGapThatEndsBeforeItBegins() {
        account.gap(11, 10);
        assertEquals("backwards: gap 11..10 where 11 was due", account.objection(0));
    }
}
