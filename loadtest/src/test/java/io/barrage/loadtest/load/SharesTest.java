package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class SharesTest {
    private static void add(Shares shares, int sender, int offered, int shown) {
        for (int i = 0; i < offered; i++) {
            shares.add(sender, i < shown);
        }
    }

    @Test
    void givesTheNthSenderAnNthOfTheFirstOnesShare() {
        Shares shares = new Shares(3); // 6/11, 3/11, 2/11
        assertEquals(0, shares.senderOf(0));
        assertEquals(0, shares.senderOf(5.9 / 11));
        assertEquals(1, shares.senderOf(6.1 / 11));
        assertEquals(1, shares.senderOf(8.9 / 11));
        assertEquals(2, shares.senderOf(9.1 / 11));
        assertEquals(2, shares.senderOf(Math.nextDown(1.0)));
    }

    @Test
    void sharesWhatTheQuietLeave() {
        Shares shares = new Shares(3);
        add(shares, 0, 100, 22);
        add(shares, 1, 50, 18);
        add(shares, 2, 10, 10);
        assertEquals(20, shares.fairShare());
        assertArrayEquals(new long[] {18, 22}, shares.shownOfThoseAbove(20));
    }

    @Test
    void knowsNobodyAboveWhenAllIsShown() {
        Shares shares = new Shares(2);
        add(shares, 0, 5, 5);
        add(shares, 1, 3, 3);
        assertArrayEquals(new long[0], shares.shownOfThoseAbove(shares.fairShare()));
    }
}
