package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class SubscriptionListTest {
    private final ShardRig rig = new ShardRig();
    private SubscriptionList list = new SubscriptionList();
    private Stream stream;

    @BeforeEach
    void openATopic() {
        RecordingConnection connection = rig.connect("room:1");
        stream = connection.subscriptions.get(0).stream;
    }

    @AfterEach
    void nothingIsLeaked() {
        assertEquals(0, rig.closeAndCountLeaks());
    }

    private Subscription add() {
        Subscription subscription = new Subscription(rig.connections.get(0), stream, 0, 0);
        list.add(subscription);
        return subscription;
    }

    private List<Subscription> addMany(int count) {
        List<Subscription> many = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            many.add(add());
        }
        return many;
    }

    private Set<Subscription> part(int from, int to) {
        Set<Subscription> part = new LinkedHashSet<>();
        for (int i = from; i < to; i++) {
            assertEquals(i, list.get(i).index);
            part.add(list.get(i));
        }
        return part;
    }

    private void check(Set<Subscription> caughtUp, Set<Subscription> behind) {
        assertEquals(caughtUp, part(0, list.caughtUp()));
        assertEquals(behind, part(list.caughtUp(), list.size()));
    }

    @Test
    void putsNewOnesAmongThoseThatHaveKeptUp() {
        List<Subscription> all = addMany(3);
        list.toBehind(all.get(0));
        Subscription newcomer = add();
        check(Set.of(all.get(1), all.get(2), newcomer), Set.of(all.get(0)));
    }

    @Test
    void removesFromBothParts() {
        List<Subscription> all = addMany(5);
        list.toBehind(all.get(1));
        list.toBehind(all.get(3));
        list.remove(all.get(0));
        check(Set.of(all.get(2), all.get(4)), Set.of(all.get(1), all.get(3)));
        list.remove(all.get(3));
        check(Set.of(all.get(2), all.get(4)), Set.of(all.get(1)));
        list.remove(all.get(1));
        list.remove(all.get(2));
        list.remove(all.get(4));
        check(Set.of(), Set.of());
    }

    @Test
    void takesOneBack() {
        List<Subscription> all = addMany(3);
        all.forEach(list::toBehind);
        assertEquals(0, list.caughtUp());
        list.toCaughtUp(all.get(2));
        assertSame(all.get(2), list.get(0));
        check(Set.of(all.get(2)), Set.of(all.get(0), all.get(1)));
    }

    /** What a walk relies on: whatever happens between two slices, none that it has still to visit moves behind its place. */
    @Test
    void movesNoneOutOfAWalksWay() {
        Random random = new Random(11);
        for (int round = 0; round < 2_000; round++) {
            list = new SubscriptionList();
            walkAndChange(random);
        }
    }

    private void walkAndChange(Random random) {
        List<Subscription> alive = addMany(1 + random.nextInt(20));
        Set<Subscription> behind = new LinkedHashSet<>();
        Set<Subscription> toVisit = new LinkedHashSet<>(alive);
        Set<Subscription> visited = new LinkedHashSet<>();
        int at = list.caughtUp();
        while (true) {
            at = Math.min(at, list.caughtUp());
            if (at == 0) {
                break;
            }
            Subscription next = list.get(--at);
            visited.add(next);
            if (random.nextInt(4) == 0) {
                list.toBehind(next);
                behind.add(next);
            }
            for (int changes = random.nextInt(4); changes > 0 && !alive.isEmpty(); changes--) {
                Subscription any = alive.get(random.nextInt(alive.size()));
                int kind = random.nextInt(3);
                if (kind == 0) {
                    alive.add(add());
                } else if (kind == 1) {
                    list.remove(any);
                    alive.remove(any);
                    behind.remove(any);
                    toVisit.remove(any);
                } else if (behind.remove(any)) {
                    list.toCaughtUp(any);
                }
            }
            Set<Subscription> caughtUp = new LinkedHashSet<>(alive);
            caughtUp.removeAll(behind);
            check(caughtUp, behind);
        }
        assertTrue(visited.containsAll(toVisit));
    }
}
