package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.RoomBudget.Verdict;
import io.barrage.protocol.Priority;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The clock is the test's: every figure here is the same in every run. */
class RoomBudgetTest {
    private static final double BUDGET = 50;
    private static final int SECONDS = 60;

    private final RoomBudget budget = new RoomBudget(BUDGET, 0);
    private final Map<Priority, Integer> sent = new EnumMap<>(Priority.class);
    private final Map<Priority, Integer> shown = new EnumMap<>(Priority.class);
    private final Map<String, Integer> sentBy = new HashMap<>();
    private final Map<String, Integer> shownOf = new HashMap<>();
    private int refused;
    private long longestSilenceNanos;
    private long lastShownNanos;

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 1, 100 / 60.0})
    void showsWhatIsLowInAQuietRoomHoweverSmallItsBudgetIs(double perSecond) {
        RoomBudget small = new RoomBudget(perSecond, 0);
        assertEquals(Verdict.SHOW, small.decide(Priority.LOW, "u", 0));
        assertEquals(Verdict.HIDE, small.decide(Priority.LOW, "u", 0));
    }

    @Test
    void leavesAPartOfABurstToWhatIsNormal() {
        RoomBudget small = new RoomBudget(2, 0);
        assertEquals(Verdict.SHOW, small.decide(Priority.LOW, "u", 0));
        assertEquals(Verdict.HIDE, small.decide(Priority.LOW, "u", 0));
        assertEquals(Verdict.SHOW, small.decide(Priority.NORMAL, "u", 0));
    }

    @ParameterizedTest
    @EnumSource
    void decidesAgainAsBeforeOnWhatWasTakenBack(Priority priority) {
        Random random = new Random(11);
        int takenBack = 0;
        int hidden = 0;
        for (long now = 0; now < 20_000_000_000L; now += 5_000_000) {
            Priority next = random.nextBoolean() ? priority : Priority.NORMAL;
            String sender = "u" + random.nextInt(20);
            Verdict verdict = budget.decide(next, sender, now);
            for (int retries = random.nextInt(4); verdict == Verdict.SHOW && retries > 0; retries--) {
                budget.takeBack(next);
                takenBack++;
                assertEquals(Verdict.SHOW, budget.decide(next, sender, now));
            }
            hidden += verdict == Verdict.SHOW ? 0 : 1;
        }
        assertTrue(takenBack > 500 && hidden > 500, takenBack + " taken back, " + hidden + " not shown");
    }

    /** Sends {@code perSecond} messages for a minute, evenly in time. */
    private void flood(int perSecond, Function<Random, Priority> priority, Function<Random, String> sender) {
        Random random = new Random(7);
        long step = 1_000_000_000L / perSecond;
        for (long now = 0; now < SECONDS * 1_000_000_000L; now += step) {
            publish(priority.apply(random), sender.apply(random), now);
        }
    }

    private void publish(Priority priority, String sender, long now) {
        sent.merge(priority, 1, Integer::sum);
        sentBy.merge(String.valueOf(sender), 1, Integer::sum);
        Verdict verdict = budget.decide(priority, sender, now);
        if (verdict == Verdict.SHOW) {
            shown.merge(priority, 1, Integer::sum);
            shownOf.merge(String.valueOf(sender), 1, Integer::sum);
            longestSilenceNanos = Math.max(longestSilenceNanos, now - lastShownNanos);
            lastShownNanos = now;
        } else if (verdict == Verdict.REFUSE) {
            refused++;
        }
    }

    private int shown(Priority priority) {
        return shown.getOrDefault(priority, 0);
    }

    private static void assertNear(double expected, double found, double part, String what) {
        assertTrue(Math.abs(found - expected) <= part * expected, what + ": expected " + expected + ", found " + found);
    }

    @Test
    void showsAllUpToTheBudget() {
        flood(50, random -> Priority.NORMAL, random -> "u" + random.nextInt(5));
        assertEquals(sent, shown);
    }

    @Test
    void showsAQuietRoomsBurstWhole() {
        for (int i = 0; i < BUDGET; i++) {
            publish(Priority.NORMAL, "u1", 1);
        }
        assertEquals(50, shown(Priority.NORMAL));
        publish(Priority.NORMAL, "u1", 2);
        assertEquals(50, shown(Priority.NORMAL));
    }

    @Test
    void letsNoSenderTakeAnothersPart() {
        // Of 40 names two would often share one of 1,024 places, and the louder one would take it.
        flood(500, random -> Priority.NORMAL, random -> {
            int of = random.nextInt(4);
            return of < 3 ? "loud" + random.nextInt(3) : "u" + random.nextInt(100);
        });
        double fair = BUDGET * SECONDS / 103;
        shownOf.forEach((sender, count) -> assertTrue(count > fair / 2, sender + " " + count));
        assertEquals(103, shownOf.size());
    }

    @Test
    void cutsTenTimesTheBudgetToTheBudget() {
        flood(500, random -> Priority.NORMAL, random -> "u" + random.nextInt(20));
        assertNear(BUDGET * SECONDS, shown(Priority.NORMAL), 0.05, "normal");
        assertTrue(longestSilenceNanos < 300_000_000L, "shown in lumps: " + longestSilenceNanos);
    }

    @Test
    void passesAllThatIsCritical() {
        flood(
                500,
                random -> random.nextInt(100) == 0 ? Priority.CRITICAL : Priority.NORMAL,
                random -> "u" + random.nextInt(20));
        assertEquals(sent.get(Priority.CRITICAL), shown.get(Priority.CRITICAL));
        assertEquals(0, refused);
        assertNear(BUDGET * SECONDS, shown(Priority.NORMAL) + shown(Priority.CRITICAL), 0.05, "all");
    }

    @Test
    void keepsTheOthersShareWhenMuchIsUrgent() {
        // 45 a second of high: 10 % over what is reserved, and still 80 % of the budget for the others.
        flood(
                500,
                random -> random.nextInt(100) < 9 ? Priority.HIGH : Priority.NORMAL,
                random -> "u" + random.nextInt(20));
        assertEquals(sent.get(Priority.HIGH), shown.get(Priority.HIGH));
        assertNear(RoomBudget.OTHERS_SHARE * BUDGET * SECONDS, shown(Priority.NORMAL), 0.05, "normal");
    }

    @Test
    void refusesWhatIsUrgentBeyondTwiceTheBudget() {
        flood(500, random -> Priority.CRITICAL, random -> "shop");
        assertNear(2 * BUDGET * SECONDS, shown(Priority.CRITICAL), 0.05, "critical");
        assertEquals(sent.get(Priority.CRITICAL) - shown.get(Priority.CRITICAL), refused);
    }

    @Test
    void hidesLowBeforeNormal() {
        flood(
                500,
                random -> random.nextInt(10) == 0 ? Priority.NORMAL : Priority.LOW,
                random -> "u" + random.nextInt(20));
        assertNear(sent.get(Priority.NORMAL), shown(Priority.NORMAL), 0.05, "normal");
        assertTrue(shown(Priority.LOW) < 0.05 * sent.get(Priority.LOW), "low: " + shown(Priority.LOW));
    }

    @Test
    void showsLowInWhatNormalLeaves() {
        flood(
                100,
                random -> random.nextInt(5) == 0 ? Priority.NORMAL : Priority.LOW,
                random -> "u" + random.nextInt(20));
        assertEquals(sent.get(Priority.NORMAL), shown.get(Priority.NORMAL));
        assertNear(30 * SECONDS, shown(Priority.LOW), 0.1, "low");
    }

    @Test
    void sharesEvenlyAmongEqualSenders() {
        flood(500, random -> Priority.NORMAL, random -> "u" + random.nextInt(20));
        double part = BUDGET * SECONDS / 20;
        shownOf.forEach((sender, count) -> assertNear(part, count, 0.1, sender));
    }

    @Test
    void doesNotLetOneSenderDrownTheOthers() {
        flood(500, random -> Priority.NORMAL, random -> random.nextInt(10) > 0 ? "spammer" : "u" + random.nextInt(100));
        int others = shownOf.entrySet().stream()
                .filter(entry -> !entry.getKey().equals("spammer"))
                .mapToInt(Map.Entry::getValue)
                .sum();
        int sentByOthers = sentBy.entrySet().stream()
                .filter(entry -> !entry.getKey().equals("spammer"))
                .mapToInt(Map.Entry::getValue)
                .sum();
        assertTrue(others > 0.85 * sentByOthers, "others: " + others + " of " + sentByOthers);
        assertTrue(shownOf.get("spammer") < 0.02 * sentBy.get("spammer"), "the spammer: " + shownOf.get("spammer"));
    }

    @Test
    void opensAgainWhenTheFloodIsOver() {
        flood(500, random -> Priority.NORMAL, random -> "u" + random.nextInt(20));
        long now = SECONDS * 1_000_000_000L + 5_000_000_000L;
        shown.clear();
        for (int i = 0; i < 100; i++) {
            publish(i % 2 == 0 ? Priority.NORMAL : Priority.LOW, "u" + i % 10, now + i * 100_000_000L);
        }
        assertEquals(50, shown(Priority.NORMAL));
        assertEquals(50, shown(Priority.LOW));
    }

    @Test
    void takesMessagesWithoutSender() {
        flood(500, random -> Priority.NORMAL, random -> null);
        assertNear(BUDGET * SECONDS, shown(Priority.NORMAL), 0.05, "normal");
    }
}
