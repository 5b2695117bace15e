package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LongRingTest {
    @Test
    void agreesWithAQueue() {
        Random random = new Random(1);
        LongRing ring = new LongRing();
        ArrayDeque<Long> model = new ArrayDeque<>();
        for (int step = 0; step < 10_000; step++) {
            if (model.isEmpty() || random.nextInt(100) < 52) {
                long value = random.nextLong();
                ring.add(value);
                model.add(value);
            } else {
                assertEquals(model.remove(), ring.remove());
            }
            assertEquals(model.size(), ring.size());
        }
    }

    @Test
    void givesNothingOutOfNothing() {
        assertThrows(IllegalStateException.class, () -> new LongRing().remove());
    }
}
