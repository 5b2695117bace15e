package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators scrape: names that dashboards rely on, labels of closed sets, and a format that Prometheus likes. */
class MetricsIT {
    /** Names of labels, each with a set of values that doesn't grow with use. */
    private static final Set<String> LABELS = Set.of(
            "limit",
            "namespace",
            "priority",
            "transport",
            "reason",
            "code",
            "result",
            "hook",
            "outcome",
            "le",
            "quantile",
            // The JVM's.
            "area",
            "id",
            "pool",
            "state",
            "action",
            "cause",
            "gc");

    private static GatewayUnderTest gateway;
    private static String scrape;

    @BeforeAll
    static void use() throws Exception {
        // A second that ends meanwhile would tell the number of subscriptions in one more write.
        gateway = GatewayUnderTest.start("namespaces: [{name: default, presence: \"off\"}]");
        try (RawWebSocket one = gateway.webSocket("?topic=secret-topic:1&user=secret-user");
                RawWebSocket two = gateway.webSocket("?topic=secret-topic:1")) {
            one.expect("subscribed");
            one.expect("subscribed");
            two.expect("subscribed");
            for (int i = 0; i < 10; i++) {
                gateway.publish("secret-topic:1", "\"secret-data\"");
                one.expect("message");
                two.expect("message");
            }
            gateway.post("/v1/publish", "{\"topic\":\"secret-topic:1\",\"messageId\":\"secret-id\",\"data\":1}");
            gateway.post("/v1/publish", "{\"topic\":\"secret-topic:1\",\"messageId\":\"secret-id\",\"data\":1}");
            gateway.post("/v1/publish", "{\"user\":\"secret-user\",\"data\":1}");
            one.expect("message");
            two.expect("message");
            one.expect("message");
            one.say("{\"type\":\"subscribe\",\"topic\":\"secret topic\"}");
            one.expect("error");
            RawHttp refused = gateway.clientsSocket().say("GET /ws HTTP/1.1\nHost: secret-host\n\n");
            assertEquals(426, refused.answer().status());
            refused.close();
            HttpResponse<String> answer = gateway.get("/metrics");
            assertEquals(
                    "text/plain; version=0.0.4; charset=utf-8",
                    answer.headers().firstValue("content-type").orElse(""));
            scrape = answer.body();
        }
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    private static double value(String series) {
        Matcher line =
                Pattern.compile("(?m)^" + Pattern.quote(series) + " (\\S+)$").matcher(scrape);
        assertTrue(line.find(), () -> "no " + series + " in\n" + scrape);
        return Double.parseDouble(line.group(1));
    }

    @Test
    void countsWhatHasHappened() {
        assertEquals(2, value("barrage_connections{transport=\"websocket\",}"));
        assertEquals(3, value("barrage_subscriptions"));
        assertEquals(2, value("barrage_topics"));
        String normal = "{namespace=\"default\",priority=\"normal\",";
        assertEquals(11, value("barrage_publishes_total" + normal + "result=\"accepted\",}"));
        assertEquals(1, value("barrage_publishes_total" + normal + "result=\"duplicate\",}"));
        assertEquals(0, value("barrage_publishes_total" + normal + "result=\"refused\",}"));
        assertEquals(22, value("barrage_deliveries_total" + normal + "}"));
        assertEquals(1, value("barrage_deliveries_total{namespace=\"$user\",priority=\"normal\",}"));
        assertEquals(0, value("barrage_shed_total" + normal + "reason=\"behind\",}"));
        assertEquals(2, value("barrage_handshakes_total{transport=\"websocket\",}"));
        assertEquals(1, value("barrage_upgrades_refused_total{code=\"upgrade_required\",}"));
        assertEquals(1, value("barrage_client_errors_total{code=\"bad_request\",}"));
        assertEquals(0, value("barrage_behind_connections"));
        assertEquals(0, value("barrage_conservation_error"));
        // Each loop that has subscriptions reports each message once.
        assertTrue(value("barrage_fanout_seconds_count") >= 12);
        assertTrue(value("barrage_fanout_seconds_bucket{le=\"10.0\",}") >= 12);
        double writes = value("barrage_socket_writes_total");
        assertTrue(writes > 0 && writes <= 23, "writes " + writes);
        assertEquals(23, value("barrage_written_messages_total"));
    }

    @Test
    void hasTheNamesThatDashboardsRelyOn() {
        for (String name : List.of(
                "barrage_connections",
                "barrage_subscriptions",
                "barrage_topics",
                "barrage_publishes_total",
                "barrage_deliveries_total",
                "barrage_shed_total",
                "barrage_socket_writes_total",
                "barrage_fanout_seconds_bucket",
                "barrage_fanout_seconds_sum",
                "barrage_fanout_seconds_count",
                "barrage_behind_connections",
                "barrage_conservation_error",
                "barrage_handshakes_total",
                "barrage_closes_total",
                "barrage_log_bytes",
                "jvm_gc_pause_seconds_count",
                "jvm_memory_used_bytes",
                "process_cpu_seconds_total",
                "process_files_open_files")) {
            // A collector that hasn't run yet has no pauses.
            if (!name.startsWith("jvm_gc_pause") || scrape.contains("jvm_gc_pause")) {
                assertTrue(
                        Pattern.compile("(?m)^" + name + "[ {]").matcher(scrape).find(), "no " + name);
            }
        }
    }

    @Test
    void labelsAreOfClosedSets() {
        Set<String> names = new TreeSet<>();
        Matcher label = Pattern.compile("([a-z_]+)=\"([^\"]*)\"").matcher(scrape);
        while (label.find()) {
            names.add(label.group(1));
        }
        names.removeAll(LABELS);
        assertEquals(Set.of(), names);
        assertFalse(scrape.contains("secret"), "topics, users, ids and data have no place here");
    }

    @Test
    void prometheusLikesTheFormat(@TempDir Path directory) throws Exception {
        Path in = directory.resolve("metrics");
        Path out = directory.resolve("findings");
        Files.writeString(in, scrape);
        Process promtool;
        try {
            promtool = new ProcessBuilder("promtool", "check", "metrics")
                    .redirectInput(in.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
        } catch (IOException e) {
            if (System.getenv("CI") != null) {
                throw new AssertionError("promtool isn't installed (package prometheus)", e);
            }
            abort("promtool isn't installed (package prometheus)");
            return;
        }
        assertTrue(promtool.waitFor(30, TimeUnit.SECONDS));
        String findings = Files.readString(out, StandardCharsets.UTF_8);
        assertEquals("", findings);
        assertEquals(0, promtool.exitValue());
    }
}
