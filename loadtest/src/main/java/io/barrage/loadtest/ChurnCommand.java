package io.barrage.loadtest;

import io.barrage.loadtest.load.Churn;
import io.barrage.loadtest.load.ChurnPlan;
import io.barrage.loadtest.load.ChurnResult;
import io.barrage.loadtest.measure.ProgressLine;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code churn}: some subscribers leave and come back all the time; what do the others notice? Used by one thread. */
@Command(
        name = "churn",
        description =
                "Barrage only: lets some subscribers leave and come back under a stream of messages; measures handshakes and"
                        + " deliveries, and checks what each subscription gets.",
        mixinStandardHelpOptions = true)
final class ChurnCommand implements Callable<Integer> {
    @Mixin
    private ScenarioOptions scenario = new ScenarioOptions();

    @Option(names = "--connections", description = "On the topic (default: ${DEFAULT-VALUE}).", defaultValue = "1000")
    private int connections;

    @Option(
            names = "--churning",
            paramLabel = "N|N%",
            description = "How many of them leave and come back, in turn (default: ${DEFAULT-VALUE}).",
            defaultValue = "20%")
    private String churning = "";

    @Option(
            names = "--rate",
            paramLabel = "PER_SECOND",
            description = "How many leave and come back a second (default: ${DEFAULT-VALUE}).",
            defaultValue = "100")
    private double rate;

    @Option(
            names = "--resets",
            paramLabel = "N%",
            description =
                    "How many of a hundred are cut by a TCP reset instead of saying goodbye (default: ${DEFAULT-VALUE}).",
            defaultValue = "50%")
    private String resets = "";

    @Option(
            names = "--publish-rate",
            paramLabel = "PER_SECOND",
            description = "Messages a second meanwhile (default: ${DEFAULT-VALUE}).",
            defaultValue = "50")
    private double publishRate;

    @Mixin
    private SpanOptions span = new SpanOptions("5s", "30s");

    @Mixin
    private PatienceOptions patience = new PatienceOptions("10s");

    @Mixin
    private MessageOptions message = new MessageOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Override
    public Integer call() throws Exception {
        ChurnPlan plan = new ChurnPlan(
                scenario.target(),
                connections,
                Amounts.of("--churning", churning, connections),
                rate,
                Amounts.of("--resets", resets, 100) / 100.0,
                publishRate,
                span.warmup(),
                span.duration(),
                patience.patience(),
                message.bytes,
                scenario.connectTimeout(),
                scenario.pid());
        ChurnResult result = Churn.run(plan, ProgressLine.toStandardError());
        result.print(System.out);
        output.write(result);
        return Main.exitCode(result.clean(), result.valid());
    }
}
