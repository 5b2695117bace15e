package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.measure.MachineUsage;
import io.barrage.loadtest.measure.ProcessUsage;
import io.barrage.loadtest.measure.SelfUsage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the server, this process and the machine had used at one moment; two of them make a span. Immutable.
 *
 * @param server null without the server's pid
 * @param loopCpuNanos CPU time of each event loop of the generator
 */
record Gauges(
        long nanos,
        @Nullable ProcessUsage server,
        double selfCpuSeconds,
        List<Long> loopCpuNanos,
        MachineUsage machine) {

    /** Reads all now; from the thread that drives a run. */
    static Gauges read(Loops loops, OptionalLong pid, boolean pidTree) throws LoadException, InterruptedException {
        List<Long> loopCpu = new ArrayList<>();
        for (int i = 0; i < loops.size(); i++) {
            loopCpu.add(loops.ask(i, ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime));
        }
        return new Gauges(System.nanoTime(), server(pid, pidTree), SelfUsage.cpuSeconds(), loopCpu, MachineUsage.now());
    }

    /** The server's process alone. */
    static @Nullable ProcessUsage server(OptionalLong pid, boolean pidTree) throws LoadException {
        if (pid.isEmpty()) {
            return null;
        }
        try {
            return ProcessUsage.of(pid.getAsLong(), pidTree);
        } catch (IOException e) {
            throw new LoadException("cannot read CPU time and memory of the server: " + e, e);
        }
    }

    /** The span that began with {@code before} and ends here. */
    double secondsSince(Gauges before) {
        return (nanos - before.nanos) / 1e9;
    }

    /** The server's CPU time in it; 0 without its pid. */
    double serverCpuSince(Gauges before) {
        return server == null || before.server == null ? 0 : server.cpuSeconds() - before.server.cpuSeconds();
    }

    /** The share of it in which the busiest of the generator's event loops was on a processor. */
    double busiestLoopSince(Gauges before) {
        double busiest = 0;
        for (int i = 0; i < loopCpuNanos.size(); i++) {
            busiest = Math.max(busiest, (loopCpuNanos.get(i) - before.loopCpuNanos.get(i)) / 1e9);
        }
        return busiest / secondsSince(before);
    }

    /** The same by its length; negative without the server's pid. */
    double serverCoresSince(Gauges before) {
        return server == null ? -1 : serverCpuSince(before) / secondsSince(before);
    }

    /**
     * What this process used in it, and what it left for others.
     *
     * @param lag how late tasks ran on its event loops in it
     */
    FanoutResult.Generator generatorSince(Gauges before, LatencySummary lag) {
        double seconds = secondsSince(before);
        double cores = (selfCpuSeconds - before.selfCpuSeconds) / seconds;
        double machineCores = (machine.busySeconds() - before.machine.busySeconds()) / seconds;
        double others = server == null ? -1 : Math.max(0, machineCores - cores - serverCoresSince(before));
        double stolen = (machine.stolenSeconds() - before.machine.stolenSeconds()) / seconds;
        return new FanoutResult.Generator(
                cores,
                busiestLoopSince(before),
                others,
                stolen,
                !FanoutResult.disturbances(others, stolen).isEmpty(),
                lag);
    }

    /** A note if the server's process has children whose use isn't counted: nginx's workers do all of its work. */
    static List<String> uncounted(OptionalLong pid, boolean pidTree) {
        long children = pid.isEmpty() || pidTree ? 0 : ProcessUsage.children(pid.getAsLong());
        return children == 0
                ? List.of()
                : List.of("the server's process has " + children
                        + " children, whose CPU time and memory aren't counted: --pid-children would");
    }
}
