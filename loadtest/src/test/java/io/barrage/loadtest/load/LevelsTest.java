package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LevelsTest {
    @Test
    void floorIsWhatTheSlowestHas() {
        Levels levels = new Levels();
        levels.join();
        levels.join();
        levels.advance(0, 5);
        assertEquals(0, levels.floor());
        levels.advance(0, 3);
        assertEquals(3, levels.floor());
    }

    @Test
    void nobodyWaitsForOneWhoLeft() {
        Levels levels = new Levels();
        levels.join();
        levels.join();
        levels.advance(0, 7);
        levels.leave(0);
        assertEquals(7, levels.floor());
        levels.leave(7);
        assertEquals(7, levels.floor());
        assertEquals(0, levels.subscribers());
    }

    @Test
    void agreesWithALookAtEverySubscriber() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            Levels levels = new Levels();
            List<Long> model = new ArrayList<>();
            for (int i = 0; i < 1 + random.nextInt(20); i++) {
                levels.join();
                model.add(0L);
            }
            for (int step = 0; step < 300; step++) {
                int who = random.nextInt(model.size());
                if (random.nextInt(100) == 0 && model.size() > 1) {
                    levels.leave(model.remove(who));
                } else {
                    int by = 1 + random.nextInt(random.nextInt(50) == 0 ? 5_000 : 10);
                    levels.advance(model.get(who), by);
                    model.set(who, model.get(who) + by);
                }
                long slowest = model.stream().mapToLong(Long::longValue).min().orElseThrow();
                assertEquals(slowest, levels.floor(), "seed " + seed + " step " + step);
            }
        }
    }

    @Test
    void refusesToSpreadWithoutBound() {
        Levels levels = new Levels();
        levels.join();
        levels.join();
        assertThrows(IllegalStateException.class, () -> levels.advance(0, Levels.MAX_SPREAD + 1L));
    }
}
