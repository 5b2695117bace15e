package io.barrage.loadtest;

import io.barrage.loadtest.load.Slow;
import io.barrage.loadtest.load.SlowPlan;
import io.barrage.loadtest.load.SlowResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code slow}: some subscribers stop reading; the others' latency and everybody's account. Used by one thread. */
@Command(
        name = "slow",
        description =
                "Barrage only: lets some subscribers stop reading, measures the others and checks what each one gets.",
        mixinStandardHelpOptions = true)
final class SlowCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions scenario = new ScenarioOptions();

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

    @Mixin
    private MessageOptions message = new MessageOptions();

    @Option(
            names = "--receive-buffer",
            paramLabel = "BYTES",
            description = "SO_RCVBUF of those that stall (default: ${DEFAULT-VALUE}).",
            defaultValue = "4096")
    private int receiveBuffer;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        SlowPlan plan = new SlowPlan(
                scenario.target(),
                subscribers,
                Amounts.of("--stalled", stalled, subscribers),
                rate,
                warmup,
                calm,
                stall,
                resume,
                message.bytes,
                receiveBuffer,
                scenario.connectTimeout(),
                scenario.pid());
        SlowResult result = Slow.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
