package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.testkit.Requirements;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * What operators are handed fits together and fits the gateway: image, compose file, JVM flags, scraping, alerts, dashboard,
 * and the pages about them.
 */
@Timeout(120)
class OpsFilesTest {
    private static final Path TOP = Path.of("..");
    private static final Path OPS = Path.of("ops");
    private static final Path PROMETHEUS = OPS.resolve("prometheus");
    private static final Path DOCKERFILE = Path.of("Dockerfile");
    private static final Path JVM_ARGS = OPS.resolve("jvm.args");

    /** With a tag that names at least a minor version: the same file gives the same image next year. */
    private static final Pattern PINNED = Pattern.compile("[a-z0-9./-]+:v?\\d+\\.\\d+.*");

    /** A metric's name, of those that a gateway exports. */
    private static final Pattern NAME = Pattern.compile("\\b(?:barrage|jvm|process|system)_[a-z0-9_]+\\b");

    /** A metric's name with what stands in its braces. */
    private static final Pattern SELECTOR = Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)\\{([^}]*)}");

    private static final Pattern LABEL = Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)\"([^\"]*)\"");

    /** Given by Prometheus, not by the gateway. */
    private static final Set<String> TARGET_LABELS = Set.of("instance", "job");

    private static GatewayConfig defaults;
    private static Gateway gateway;
    private static JsonNode compose;
    private static JsonNode prometheus;

    /** What the gateway exports: names of samples, with all values of each of their labels. */
    private static Map<String, Map<String, Set<String>>> exported;

    @TempDir
    private Path folder;

    @BeforeAll
    static void read() throws Exception {
        defaults = GatewayConfig.reader(null, Map.of()).load().value();
        compose = new YAMLMapper().readTree(TOP.resolve("docker-compose.yml").toFile());
        prometheus =
                new YAMLMapper().readTree(PROMETHEUS.resolve("prometheus.yml").toFile());
        gateway = Gateway.start(ConfigReader.parse(
                GatewayConfig.class,
                "{profile: development, clients: {port: 0}, metrics: {open: true}, backend: {port: 0, keys: [{name: shop,"
                        + " rate: 1/s, scopes: [publish], hash: \"" + ApiKeys.hash("brg_a-key") + "\"}]}}"));
        exported = scrapeWithPauses();
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    /** The JVM's metrics of pauses exist from the first one on. */
    private static Map<String, Map<String, Set<String>>> scrapeWithPauses() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            System.gc();
            Map<String, Map<String, Set<String>>> found = scrape();
            if (found.containsKey("jvm_gc_pause_seconds_sum")) {
                return found;
            }
            assertTrue(System.nanoTime() - end < 0, "no pause was ever counted");
        }
    }

    private static Map<String, Map<String, Set<String>>> scrape() throws Exception {
        String text = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.backendPort() + "/metrics"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        Map<String, Map<String, Set<String>>> samples = new HashMap<>();
        for (String line : text.split("\n", -1)) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            Map<String, Set<String>> labels =
                    samples.computeIfAbsent(line.split("[{ ]", 2)[0], ignored -> new HashMap<>());
            Matcher label = LABEL.matcher(line);
            while (label.find()) {
                labels.computeIfAbsent(label.group(1), ignored -> new HashSet<>())
                        .add(label.group(3));
            }
        }
        return samples;
    }

    // ---------------------------------------------------------------- containers

    @Test
    void composesServicesWithoutLooseEnds() {
        JsonNode services = compose.get("services");
        assertEquals(Set.of("gateway", "prometheus", "grafana"), Set.copyOf(services.propertyNames()));
        for (Map.Entry<String, JsonNode> service : services.properties()) {
            String name = service.getKey();
            assertTrue(
                    PINNED.matcher(service.getValue().path("image").asString()).matches(), name + " isn't pinned");
            strings(service.getValue().path("depends_on"))
                    .forEach(other -> assertTrue(services.has(other), name + " depends on " + other));
            strings(service.getValue().path("secrets"))
                    .forEach(secret -> assertTrue(compose.path("secrets").has(secret), name + " wants " + secret));
            for (String volume : strings(service.getValue().path("volumes"))) {
                String source = volume.split(":", -1)[0];
                assertTrue(
                        source.startsWith("./")
                                ? Files.exists(TOP.resolve(source))
                                : compose.path("volumes").has(source),
                        name + " mounts " + source);
            }
            for (String port : strings(service.getValue().path("ports"))) {
                assertTrue(port.startsWith("127.0.0.1:"), name + " opens " + port + " to the network");
            }
        }
    }

    @Test
    void startsTheGatewayWithAConfigurationThatItAccepts() throws Exception {
        JsonNode service = compose.at("/services/gateway");
        assertTrue(Files.exists(TOP.resolve(service.at("/build/dockerfile").asString())));
        Map<String, String> environment = new HashMap<>();
        service.path("environment")
                .properties()
                .forEach(entry -> environment.put(
                        entry.getKey(), entry.getValue().asString().replaceAll("^\\$\\{.*}$", "brg_a-key")));
        GatewayConfig config = GatewayConfig.reader(null, environment).load().value();

        assertEquals(1, config.backend().keys().size());
        List<String> ports = new ArrayList<>();
        for (int port : new int[] {config.clients().port(), config.backend().port()}) {
            ports.add("127.0.0.1:" + port + ":" + port);
        }
        assertEquals(ports, strings(service.path("ports")));
        long grace = Long.parseLong(service.path("stop_grace_period").asString().replaceAll("s$", ""));
        assertTrue(grace > config.drain().deadline().toSeconds() + 5, "Docker kills a gateway that still drains");
    }

    @Test
    void buildsAnImageFromPinnedOnesWithFilesThatExist() throws Exception {
        String dockerfile = Files.readString(DOCKERFILE);
        List<String> images = find(dockerfile, "(?m)^FROM (\\S+)");
        assertEquals(2, images.size());
        images.forEach(image -> assertTrue(PINNED.matcher(image).matches(), image + " isn't pinned"));
        for (String source : find(dockerfile, "(?m)^COPY (?!--)(\\S+) ")) {
            assertTrue(Files.exists(TOP.resolve(source)), source);
        }
        assertEquals(
                List.of(defaults.clients().port() + " " + defaults.backend().port()),
                find(dockerfile, "(?m)^EXPOSE (.+)$"));
    }

    @Test
    void checksTheGatewaysHealthWithBashAlone() throws Exception {
        Path bash = Requirements.command("bash");
        String command = find(Files.readString(DOCKERFILE), "(?s)HEALTHCHECK .*?CMD (\\[.*?\"])\n")
                .get(0)
                .replace("\\\n", "");
        List<String> check = new ArrayList<>(strings(new JsonMapper().readTree(command)));
        check.set(0, bash.toString());

        assertEquals(0, run(folder, Map.of(), atPort(check, gateway.backendPort())).exitCode);
        int closedPort;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closedPort = socket.getLocalPort();
        }
        assertNotEquals(0, run(folder, Map.of(), atPort(check, closedPort)).exitCode);
        // Something answers there, but not 200.
        List<String> elsewhere = atPort(check, gateway.backendPort()).stream()
                .map(argument -> argument.replace("/livez", "/nowhere"))
                .toList();
        assertNotEquals(0, run(folder, Map.of(), elsewhere).exitCode);
    }

    private static List<String> atPort(List<String> check, int port) {
        String from = "/127.0.0.1/" + defaults.backend().port();
        assertTrue(check.get(2).contains(from), check.toString());
        return List.of(check.get(0), check.get(1), check.get(2).replace(from, "/127.0.0.1/" + port));
    }

    @Test
    void startsAJvmWithTheFlags() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Result result = run(
                folder,
                // As in the image: by variable, so that all commands have them.
                Map.of("JDK_JAVA_OPTIONS", "@" + JVM_ARGS.toAbsolutePath()),
                List.of(java, "-XX:+PrintFlagsFinal", "-version"));
        assertEquals(0, result.exitCode, result.output);
        List<String> flags = find(Files.readString(JVM_ARGS), "(?m)^-XX:[+-]?(\\w+)");
        assertTrue(flags.size() > 5, flags.toString());
        for (String flag : flags) {
            boolean known = Runtime.version().feature() >= 25 || !flag.equals("UseCompactObjectHeaders");
            boolean used = Pattern.compile("\\s" + flag + "\\s.*\\{command line")
                    .matcher(result.output)
                    .find();
            assertEquals(known, used, flag);
        }
    }

    @Test
    void leavesRoomForTheMessagesOutsideTheHeap() throws Exception {
        String megabytes = find(Files.readString(JVM_ARGS), "(?m)^-XX:MaxDirectMemorySize=(\\d+)m$")
                .get(0);
        long ours = defaults.memory().log().bytes() + defaults.memory().pinned().bytes();
        assertTrue(Long.parseLong(megabytes) * 1024 * 1024 >= ours + 128 * 1024 * 1024, megabytes);
    }

    // ---------------------------------------------------------------- Prometheus

    @Test
    void scrapesTheBackendsListenerWithItsKey() {
        JsonNode job = prometheus.at("/scrape_configs/0");
        assertEquals(
                "gateway:" + defaults.backend().port(),
                job.at("/static_configs/0/targets/0").asString());
        String secret = strings(compose.at("/services/prometheus/secrets")).get(0);
        assertEquals(
                "/run/secrets/" + secret,
                job.at("/authorization/credentials_file").asString());
        assertTrue(strings(compose.at("/services/prometheus/volumes")).stream()
                .anyMatch(volume -> volume.endsWith("/alerts.yml:/etc/prometheus/alerts.yml:ro")));
    }

    @Test
    void givesPrometheusAConfigurationThatItAccepts() throws Exception {
        // promtool looks for the key's file, which only the container has.
        Path key = Files.writeString(folder.resolve("key"), "brg_a-key\n");
        String config = Files.readString(PROMETHEUS.resolve("prometheus.yml"));
        Files.writeString(
                folder.resolve("prometheus.yml"),
                config.replaceFirst("credentials_file: \\S+", "credentials_file: " + key));
        Files.copy(PROMETHEUS.resolve("alerts.yml"), folder.resolve("alerts.yml"));
        promtool(folder, "check", "config", "prometheus.yml");
    }

    @Test
    void alertsWhenItShould() throws Exception {
        promtool(PROMETHEUS, "check", "rules", "alerts.yml");
        promtool(PROMETHEUS, "test", "rules", "alerts.test.yml");
        String tests = Files.readString(PROMETHEUS.resolve("alerts.test.yml"));
        String page = Files.readString(TOP.resolve("docs/operations.md"));
        for (String alert : alerts().keySet()) {
            assertTrue(tests.contains("alertname: " + alert), alert + " isn't tested");
            assertTrue(page.contains("`" + alert + "`"), alert + " isn't explained in docs/operations.md");
        }
    }

    @Test
    void alertsOnMetricsThatTheGatewayHas() throws Exception {
        alerts().forEach((alert, expression) -> assertExported(alert, expression));
    }

    private static Map<String, String> alerts() {
        Map<String, String> expressions = new LinkedHashMap<>();
        for (JsonNode rule : new YAMLMapper()
                .readTree(PROMETHEUS.resolve("alerts.yml").toFile())
                .at("/groups/0/rules")) {
            expressions.put(rule.get("alert").asString(), rule.get("expr").asString());
        }
        return expressions;
    }

    // ---------------------------------------------------------------- Grafana

    @Test
    void showsMetricsThatTheGatewayHas() throws Exception {
        Map<String, String> expressions = dashboardExpressions();
        assertTrue(expressions.size() > 20, "few expressions: " + expressions);
        expressions.forEach((panel, expression) -> assertExported(panel, expression));
        assertExported(
                "variable",
                dashboard()
                        .at("/templating/list/1/query/query")
                        .asString()
                        .replaceFirst("label_values\\((.*),.*", "$1"));
    }

    @Test
    void asksPrometheusWhatItUnderstands() throws Exception {
        StringBuilder rules = new StringBuilder("groups:\n  - name: dashboard\n    rules:\n");
        dashboardExpressions().values().forEach(expression -> rules.append("      - {record: a, expr: '")
                .append(expression.replace("$__rate_interval", "1m").replace("$instance", ".*"))
                .append("'}\n"));
        Files.writeString(folder.resolve("rules.yml"), rules);
        // Duplicates only mean that all records have one name here.
        promtool(folder, "check", "rules", "--lint=none", "rules.yml");
    }

    @Test
    void takesItsDataSourceFromAVariable() {
        Set<String> sources = new TreeSet<>();
        Set<Integer> ids = new HashSet<>();
        for (JsonNode panel : dashboard().get("panels")) {
            assertTrue(ids.add(panel.get("id").asInt()), "two panels with id " + panel.get("id"));
            if (!panel.get("type").asString().equals("row")) {
                sources.add(panel.at("/datasource/uid").asString());
            }
        }
        assertEquals(Set.of("${datasource}"), sources);
        assertEquals("datasource", dashboard().at("/templating/list/0/name").asString());
    }

    @Test
    void provisionsGrafanaWithPathsThatAreMounted() throws Exception {
        Path provisioning = OPS.resolve("grafana/provisioning");
        String url = new YAMLMapper()
                .readTree(provisioning.resolve("datasources/prometheus.yml").toFile())
                .at("/datasources/0/url")
                .asString();
        assertEquals("http://prometheus:9090", url);
        String path = new YAMLMapper()
                .readTree(provisioning.resolve("dashboards/barrage.yml").toFile())
                .at("/providers/0/options/path")
                .asString();
        assertTrue(strings(compose.at("/services/grafana/volumes"))
                .contains("./gateway/ops/grafana/dashboards:" + path + ":ro"));
        assertEquals(
                path + "/barrage.json",
                compose.at("/services/grafana/environment/GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH")
                        .asString());
    }

    private static JsonNode dashboard() {
        return new JsonMapper()
                .readTree(OPS.resolve("grafana/dashboards/barrage.json").toFile());
    }

    private static Map<String, String> dashboardExpressions() {
        Map<String, String> expressions = new LinkedHashMap<>();
        for (JsonNode panel : dashboard().get("panels")) {
            for (JsonNode target : panel.path("targets")) {
                expressions.put(
                        panel.get("id") + " " + panel.get("title").asString() + " "
                                + target.get("refId").asString(),
                        target.get("expr").asString());
            }
        }
        return expressions;
    }

    // ---------------------------------------------------------------- pages

    @Test
    void explainsEachMetricOfTheGateway() throws Exception {
        String page = Files.readString(TOP.resolve("docs/operations.md"));
        Set<String> missing = new TreeSet<>();
        for (String sample : exported.keySet()) {
            String name = sample.replaceFirst("_(bucket|sum|count|max)$", "");
            if (sample.startsWith("barrage_")
                    && !page.contains("`" + name + "`")
                    && !page.contains("`" + sample + "`")) {
                missing.add(sample);
            }
        }
        assertEquals(Set.of(), missing, "not in docs/operations.md");
    }

    @Test
    void namesOnlyMetricsThatTheGatewayHas() throws Exception {
        String page = Files.readString(TOP.resolve("docs/operations.md"));
        Set<String> known = new HashSet<>(exported.keySet());
        exported.keySet().forEach(sample -> known.add(sample.replaceFirst("_(bucket|sum|count|max)$", "")));
        Set<String> unknown = new TreeSet<>();
        for (String name : find(page, "`(" + NAME + ")`")) {
            if (!known.contains(name)) {
                unknown.add(name);
            }
        }
        assertEquals(Set.of(), unknown, "in docs/operations.md");
    }

    @Test
    void showsConfigurationThatTheGatewayAccepts() throws Exception {
        for (String page : List.of("getting-started.md", "operations.md", "http-api.md")) {
            String text = Files.readString(TOP.resolve("docs").resolve(page));
            for (String yaml : find(text, "(?s)```yaml\n# barrage.yaml\n(.*?)```")) {
                Path file = Files.writeString(folder.resolve("barrage.yaml"), yaml);
                GatewayConfig.reader(file, Map.of()).load();
            }
        }
    }

    @Test
    void linksToWhatExists() throws Exception {
        for (String page : List.of("getting-started.md", "operations.md", "http-api.md")) {
            String text = Files.readString(TOP.resolve("docs").resolve(page));
            for (String link : find(text, "\\]\\((?!https?:)([^)#]+)[^)]*\\)")) {
                assertTrue(Files.exists(TOP.resolve("docs").resolve(link)), page + " links to " + link);
            }
        }
    }

    // ---------------------------------------------------------------- what they share

    /** Fails unless each metric, each label of it, and each value that is compared with, is one that the gateway exports. */
    private static void assertExported(String where, String expression) {
        List<String> names = find(expression, "(" + NAME + ")");
        find(expression, SELECTOR.pattern()).forEach(names::add);
        assertFalse(names.isEmpty(), where + ": no metric in " + expression);
        for (String name : names) {
            assertTrue(name.equals("up") || exported.containsKey(name), where + ": no metric " + name);
        }
        SELECTOR.matcher(expression).results().forEach(selector -> assertLabels(where, selector));
    }

    private static void assertLabels(String where, MatchResult selector) {
        Map<String, Set<String>> labels = exported.getOrDefault(selector.group(1), Map.of());
        Matcher label = LABEL.matcher(selector.group(2));
        while (label.find()) {
            String name = label.group(1);
            if (TARGET_LABELS.contains(name)) {
                continue;
            }
            assertTrue(labels.containsKey(name), where + ": " + selector.group(1) + " has no label " + name);
            if (label.group(2).equals("=")) {
                assertTrue(
                        labels.get(name).contains(label.group(3)),
                        where + ": label " + name + " of " + selector.group(1) + " is never " + label.group(3));
            }
        }
    }

    private static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(element -> strings.add(element.asString()));
        return strings;
    }

    /** The first group of each match. */
    private static List<String> find(String text, String pattern) {
        try (Stream<MatchResult> found = Pattern.compile(pattern).matcher(text).results()) {
            return new ArrayList<>(found.map(match -> match.group(1)).toList());
        }
    }

    private static void promtool(Path directory, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(Requirements.command("promtool").toString()));
        command.addAll(List.of(arguments));
        Result result = run(directory, Map.of(), command);
        assertEquals(0, result.exitCode, result.output);
    }

    private record Result(int exitCode, String output) {}

    private static Result run(Path directory, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), command + " hangs");
        return new Result(process.exitValue(), output);
    }
}
