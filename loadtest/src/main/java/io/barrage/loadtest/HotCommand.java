package io.barrage.loadtest;

import io.barrage.loadtest.load.Hot;
import io.barrage.loadtest.load.HotPlan;
import io.barrage.loadtest.load.HotResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code hot}: a room over its budget; do all viewers see the same? Used by one thread. */
@Command(
        name = "hot",
        description = "Barrage only: floods a room that has a budget and checks that all viewers see the same room.",
        mixinStandardHelpOptions = true)
final class HotCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions scenario = new ScenarioOptions();

    @Option(
            names = "--namespace",
            description = "The namespace that has the budget (default: ${DEFAULT-VALUE}).",
            defaultValue = "room")
    private String namespace = "";

    @Option(names = "--viewers", description = "Who watches (default: ${DEFAULT-VALUE}).", defaultValue = "1000")
    private int viewers;

    @Option(names = "--rate", description = "Comments a second (default: ${DEFAULT-VALUE}).", defaultValue = "500")
    private double rate;

    @Option(
            names = "--senders",
            description = "Who writes them; the n-th one n-th of what the first does (default: ${DEFAULT-VALUE}).",
            defaultValue = "40")
    private int senders;

    @Option(names = "--gifts", description = "Critical ones a second (default: ${DEFAULT-VALUE}).", defaultValue = "5")
    private double gifts;

    @Option(
            names = "--duration",
            description = "How long the load runs (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s")
    private Duration duration = Duration.ZERO;

    @Option(
            names = "--warmup",
            description = "How much of it doesn't count in rates and shares (default: ${DEFAULT-VALUE}).",
            defaultValue = "3s")
    private Duration warmup = Duration.ZERO;

    @Option(
            names = "--budget",
            description = "The budget that the gateway has, to compare with (default: ${DEFAULT-VALUE}).",
            defaultValue = "50")
    private double budget;

    @Mixin
    private MessageOptions message = new MessageOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        HotPlan plan = new HotPlan(
                scenario.target(),
                namespace,
                viewers,
                rate,
                senders,
                gifts,
                duration,
                warmup,
                budget,
                message.bytes,
                scenario.connectTimeout(),
                scenario.pid());
        HotResult result = Hot.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
