package io.barrage.loadtest;

import io.barrage.loadtest.report.Report;
import io.barrage.loadtest.report.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code report}: draws results that other commands wrote with {@code --json}. Used by one thread. */
@Command(
        name = "report",
        description = "Draws results that other commands wrote with --json: as a page of its own, or as plots.",
        mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "RESULT", description = "The JSON files, in the order of the page.")
    private List<Path> files = new ArrayList<>();

    @Option(names = "--html", paramLabel = "FILE", converter = OutputFile.class, description = "Write the page there.")
    private @Nullable Path html;

    @Option(names = "--svg", paramLabel = "DIR", description = "Write each plot there, as a file of its own.")
    private @Nullable Path svg;

    @Option(
            names = "--plots",
            split = ",",
            paramLabel = "PLOT",
            description = "Which of them, such as overview,lone,lone-latency,memory (default: all).")
    private List<String> wanted = new ArrayList<>();

    @Option(
            names = "--title",
            description = "The page's title (default: ${DEFAULT-VALUE}).",
            defaultValue = "Load test")
    private String title = "";

    @Override
    public Integer call() throws IOException {
        if (html == null && svg == null) {
            throw new IllegalArgumentException("report: say --html FILE, or --svg DIR, or both");
        }
        List<Result> results = new ArrayList<>();
        for (Path file : files) {
            Path name = file.getFileName();
            String base = (name == null ? file : name).toString().replaceFirst("\\.json$", "");
            results.add(Result.of(base, Json.read(file)));
        }
        Report report = new Report(title, results);
        if (html != null) {
            Files.writeString(html, report.html());
            System.out.println(html);
        }
        if (svg != null) {
            Files.createDirectories(svg);
            for (Map.Entry<String, String> plot : chosen(report.plots()).entrySet()) {
                System.out.println(Files.writeString(svg.resolve(plot.getKey()), plot.getValue()));
            }
        }
        return 0;
    }

    /** @throws IllegalArgumentException if one that is wanted isn't there */
    private Map<String, String> chosen(Map<String, String> plots) {
        if (wanted.isEmpty()) {
            return plots;
        }
        Map<String, String> chosen = new LinkedHashMap<>();
        for (String name : wanted) {
            plots.forEach((file, plot) -> {
                if (file.endsWith("-" + name + ".svg")) {
                    chosen.put(file, plot);
                }
            });
            if (chosen.keySet().stream().noneMatch(file -> file.endsWith("-" + name + ".svg"))) {
                throw new IllegalArgumentException("--plots " + name + ": there are " + plots.keySet());
            }
        }
        return chosen;
    }
}
