package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the benchmarks: each once, so that they don't rot; and to measure, in JVMs of their own and with the bytes that an
 * operation allocates, if {@code -Dbarrage.jmh=} says which ones by a regular expression.
 */
class MicroBenchmarksTest {
    private static final String WHICH = "barrage.jmh";
    private static final String PACKAGES = "io\\.barrage\\.gateway\\..*Benchmark\\..*";

    @Test
    void eachRuns() throws Exception {
        Options once = new OptionsBuilder()
                .include(PACKAGES)
                .forks(0)
                .mode(Mode.SingleShotTime)
                .warmupIterations(0)
                .measurementIterations(1)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();
        // One lock for the whole machine is meant for figures; here, a second build beside this one may well run.
        System.setProperty("jmh.ignoreLock", "true");
        Collection<RunResult> results;
        try {
            results = new Runner(once).run();
        } finally {
            System.clearProperty("jmh.ignoreLock");
        }
        Set<String> benchmarks = results.stream()
                .map(result -> result.getParams().getBenchmark())
                .map(name -> name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1))
                .collect(Collectors.toSet());
        assertEquals(
                Set.of(
                        "FrameEncodingBenchmark.oneMessage",
                        "FrameEncodingBenchmark.batchOf32",
                        "TopicLogBenchmark.append",
                        "TopicLogBenchmark.appendAndDrain",
                        "TopicLogBenchmark.appendAndDrainToFullSockets",
                        "CommandParsingBenchmark.ping",
                        "CommandParsingBenchmark.subscribe",
                        "CommandParsingBenchmark.publish",
                        "PublishBenchmark.parse",
                        "PublishBenchmark.parseAndPublish"),
                benchmarks);
        results.forEach(result -> assertTrue(result.getPrimaryResult().getScore() > 0));
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.HOURS)
    @EnabledIfSystemProperty(named = WHICH, matches = ".+")
    void measures() throws Exception {
        Options options = new OptionsBuilder()
                .include("io\\.barrage\\.gateway\\..*(" + System.getProperty(WHICH) + ")")
                .forks(2)
                // Not this JVM's options: leak detection would be measured.
                .jvmArgs("-Xms512m", "-Xmx512m", "-Dio.netty.leakDetection.level=disabled")
                .warmupIterations(3)
                .warmupTime(TimeValue.seconds(2))
                .measurementIterations(5)
                .measurementTime(TimeValue.seconds(2))
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .build();
        assertFalse(new Runner(options).run().isEmpty(), "no benchmark is named so");
    }
}
