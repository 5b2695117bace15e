package io.barrage.gateway;

import io.barrage.gateway.hub.Loop;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.TimeUnit;

/** A Netty event loop as the hub sees it. Thread-safe. */
record EventLoopOfShard(EventExecutor executor) implements Loop {
    @Override
    public boolean inLoop() {
        return executor.inEventLoop();
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }

    @Override
    public void executeAfterIo(Runnable task) {
        // A loop takes due timers into its queue once per turn, behind that turn's I/O; what is executed it runs at
        // once.
        executor.schedule(task, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public void executeAfter(Runnable task, long nanos) {
        executor.schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }
}
