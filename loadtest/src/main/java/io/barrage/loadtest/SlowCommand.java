package io.barrage.loadtest;

import io.barrage.loadtest.load.Slow;
import io.barrage.loadtest.load.SlowPlan;
import io.barrage.loadtest.load.SlowResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code slow}: some subscribers stop reading; the others' latency and everybody's account. Used by one thread. */
@Command(
        name = "slow",
        description = "Lets some subscribers stop reading, measures the others and checks what each one gets.",
        mixinStandardHelpOptions = true)
final class SlowCommand implements Callable<Integer> {
    private static final Pattern STALLED = Pattern.compile("(\\d{1,9})(%?)");

    @Mixin
    private TargetOptions target = new TargetOptions();

    @Option(
            names = "--subscribers",
            description = "Connections on the topic (default: ${DEFAULT-VALUE}).",
            defaultValue = "10000")
    private int subscribers;

    @Option(
            names = "--stalled",
            paramLabel = "N|N%",
            description = "How many of them stop reading (default: ${DEFAULT-VALUE}).",
            defaultValue = "10%")
    private String stalled = "";

    @Option(names = "--rate", description = "Messages a second (default: ${DEFAULT-VALUE}).", defaultValue = "500")
    private double rate;

    @Option(
            names = "--warmup",
            description = "Load before anything counts (default: ${DEFAULT-VALUE}).",
            defaultValue = "3s")
    private Duration warmup = Duration.ZERO;

    @Option(names = "--calm", description = "Load while all read (default: ${DEFAULT-VALUE}).", defaultValue = "10s")
    private Duration calm = Duration.ZERO;

    @Option(
            names = "--stall",
            description = "The same load while the stalled don't read (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s")
    private Duration stall = Duration.ZERO;

    @Option(
            names = "--resume",
            description = "How long they may take to catch up, without load (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s")
    private Duration resume = Duration.ZERO;

    @Option(
            names = "--bytes",
            description = "Size of a message's data (default: ${DEFAULT-VALUE}).",
            defaultValue = "100")
    private int bytes;

    @Option(
            names = "--receive-buffer",
            paramLabel = "BYTES",
            description = "SO_RCVBUF of those that stall (default: ${DEFAULT-VALUE}).",
            defaultValue = "4096")
    private int receiveBuffer;

    @Option(
            names = "--connect-timeout",
            description = "For all subscribers together (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s")
    private Duration connectTimeout = Duration.ZERO;

    @Option(names = "--pid", description = "The server's process, to read its memory.")
    private @Nullable Long pid;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result there too.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
        SlowPlan plan = new SlowPlan(
                target.barrage(),
                subscribers,
                stalled(stalled, subscribers),
                rate,
                warmup,
                calm,
                stall,
                resume,
                bytes,
                receiveBuffer,
                connectTimeout,
                pid == null ? OptionalLong.empty() : OptionalLong.of(pid));
        SlowResult result = Slow.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        if (json != null) {
            Json.write(json, result);
        }
        return !result.clean() ? Main.EXIT_LOSS : result.valid() ? 0 : Main.EXIT_INVALID;
    }

    /** @throws IllegalArgumentException if it is neither a number nor a percentage */
    static int stalled(String text, int subscribers) {
        Matcher matcher = STALLED.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "--stalled '" + text + "' is neither a number nor a percentage such as 10%");
        }
        int amount = Integer.parseInt(matcher.group(1));
        return matcher.group(2).isEmpty() ? amount : Math.toIntExact((long) subscribers * amount / 100);
    }
}
