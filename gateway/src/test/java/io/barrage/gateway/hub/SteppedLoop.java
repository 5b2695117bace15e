package io.barrage.gateway.hub;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * A loop that the test steps: tasks run only when it says so, and the clock stands still until it is moved.
 *
 * <p>Confined to the test's thread, except {@link #execute}.
 */
final class SteppedLoop implements Loop {
    private static final int MANY_TURNS = 1_000_000;

    private record Timer(Runnable task, long dueNanos) {}

    private final Thread owner = Thread.currentThread();
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final ArrayDeque<Runnable> afterIo = new ArrayDeque<>();
    private final List<Timer> timers = new ArrayList<>();
    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long nanos = Long.MAX_VALUE - 1_000_000;
    private int executed;

    @Override
    public boolean inLoop() {
        return Thread.currentThread() == owner;
    }

    @Override
    public void execute(Runnable task) {
        synchronized (tasks) {
            tasks.add(task);
            executed++;
        }
    }

    @Override
    public void executeAfterIo(Runnable task) {
        afterIo.add(task);
    }

    @Override
    public void executeAfter(Runnable task, long afterNanos) {
        timers.add(new Timer(task, nanos + afterNanos));
    }

    @Override
    public long nanoTime() {
        return nanos;
    }

    void advance(long byNanos) {
        nanos += byNanos;
        for (Timer timer : List.copyOf(timers)) {
            if (timer.dueNanos - nanos <= 0) {
                timers.remove(timer);
                tasks.add(timer.task);
            }
        }
    }

    /** Timers that haven't run. */
    int timers() {
        return timers.size();
    }

    /** How many tasks were ever given to {@link #execute}. */
    int executed() {
        return executed;
    }

    /** Tasks that wait for the next turn, after I/O. */
    int waitingForIo() {
        return afterIo.size();
    }

    boolean isIdle() {
        return tasks.isEmpty() && afterIo.isEmpty();
    }

    /** One turn of a loop: tasks until there are none; I/O, which the test plays before; then what waited for it. */
    boolean turn() {
        if (isIdle()) {
            return false;
        }
        runTasks();
        tasks.addAll(afterIo);
        afterIo.clear();
        runTasks();
        return true;
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    void runUntilIdle() {
        for (int turns = 0; turn(); turns++) {
            if (turns == MANY_TURNS) {
                throw new AssertionError("the loop never comes to rest");
            }
        }
    }
}
