package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.Reloaded;
import io.barrage.gateway.net.Transport;
import io.barrage.gateway.net.TransportKind;
import io.barrage.gateway.testkit.Requirements;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * A gateway on free ports of the loopback, and the ways to talk to it. Closing it checks what must hold behind every test: no
 * message was lost or invented, and nothing was logged that a person should look at. Thread-safe.
 */
final class GatewayUnderTest implements AutoCloseable {
    /** How long a test waits for what must come. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    /** What carries the sockets of all that don't say it themselves: a run of the tests may be of another transport. */
    private static final String TRANSPORT = System.getProperty("barrage.test.transport", "auto");

    private static final long POLL_NANOS = 1_000_000;

    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();

    private final Gateway gateway;
    private final LoggedTrouble trouble = new LoggedTrouble();
    private final List<String> expected = new CopyOnWriteArrayList<>();

    private GatewayUnderTest(String yaml) {
        TransportKind transport = TransportKind.valueOf(TRANSPORT.toUpperCase(Locale.ROOT));
        Requirements.that(Transport.isAvailable(transport), TRANSPORT);
        trouble.start();
        root().addAppender(trouble);
        gateway = Gateway.start(ConfigReader.parse(GatewayConfig.class, yaml));
    }

    /** A development gateway with two event loops and what {@code yaml} says besides. */
    static GatewayUnderTest start(String yaml) {
        return new GatewayUnderTest(complete(yaml));
    }

    /** Has it go on with another configuration, as after a change of its file. */
    void reload(String yaml) {
        try {
            GatewayConfig fresh = ConfigReader.parse(GatewayConfig.class, complete(yaml));
            gateway.reconfigure(
                    Reloaded.of(GatewayConfig.class, gateway.config(), fresh).value());
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    private static String complete(String yaml) {
        StringBuilder all = new StringBuilder(yaml).append('\n');
        addUnlessSaid(all, "profile:", " development");
        addUnlessSaid(all, "clients:", " {host: 127.0.0.1, port: 0}");
        addUnlessSaid(all, "backend:", " {host: 127.0.0.1, port: 0}");
        addUnlessSaid(all, "server:", " {loops: 2, transport: " + TRANSPORT + "}");
        return all.toString();
    }

    private static void addUnlessSaid(StringBuilder yaml, String key, String value) {
        if (!Pattern.compile("(?m)^" + key).matcher(yaml).find()) {
            yaml.append(key).append(value).append('\n');
        }
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    /** Keeps what the gateway takes for a fault of its own, or wants an operator to look at. */
    private static final class LoggedTrouble extends AppenderBase<ILoggingEvent> {
        private final List<String> found = new CopyOnWriteArrayList<>();

        @Override
        protected void append(ILoggingEvent event) {
            if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
                String cause = event.getThrowableProxy() == null
                        ? ""
                        : " " + event.getThrowableProxy().getClassName() + ": "
                                + event.getThrowableProxy().getMessage();
                found.add(event.getFormattedMessage() + cause);
            }
        }
    }

    /** What the test is about to make the gateway complain of: a line that begins so. */
    GatewayUnderTest expectTrouble(String beginning) {
        expected.add(beginning);
        return this;
    }

    Gateway gateway() {
        return gateway;
    }

    int clientsPort() {
        return gateway.clientsPort();
    }

    int backendPort() {
        return gateway.backendPort();
    }

    // ---------------------------------------------------------------- as a well-behaved client

    /** Asks the backend's door. */
    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + backendPort() + path))
                        .timeout(PATIENCE)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Posts JSON to the backend's door. */
    HttpResponse<String> post(String path, String json) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + backendPort() + path))
                        .timeout(PATIENCE)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Asks the backend's door to delete something. */
    HttpResponse<String> delete(String path) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + backendPort() + path))
                        .timeout(PATIENCE)
                        .DELETE()
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Publishes what must be accepted; gives its offset. */
    long publish(String topic, String data) throws IOException, InterruptedException {
        HttpResponse<String> answer = post("/v1/publish", "{\"topic\":\"" + topic + "\",\"data\":" + data + "}");
        assertEquals(200, answer.statusCode(), answer.body());
        return Long.parseLong(find("\"offset\":(\\d+)", answer.body()));
    }

    /** Publishes lines of NDJSON. */
    HttpResponse<String> postLines(String lines) throws IOException, InterruptedException {
        HttpResponse<String> answers = HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + backendPort() + "/v1/publish"))
                        .timeout(PATIENCE)
                        .header("Content-Type", "application/x-ndjson")
                        .POST(HttpRequest.BodyPublishers.ofString(lines))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answers.statusCode(), answers.body());
        return answers;
    }

    /** Publishes lines of NDJSON that must all be accepted; gives their offsets. */
    List<Long> publishAll(String lines) throws IOException, InterruptedException {
        return postLines(lines)
                .body()
                .lines()
                .map(answer -> Long.parseLong(find("\"offset\":(\\d+)", answer)))
                .toList();
    }

    /** The first group of the first match. */
    static String find(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new AssertionError("no " + pattern + " in " + text);
        }
        return matcher.group(1);
    }

    /** The value of a series, or the sum of those that begin so. */
    double metric(String series) throws IOException, InterruptedException {
        HttpResponse<String> all = get("/metrics");
        assertEquals(200, all.statusCode());
        return all.body()
                .lines()
                .filter(line -> line.startsWith(series) && "{ ,".indexOf(line.charAt(series.length())) >= 0)
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .reduce(Double::sum)
                .orElseThrow(() -> new AssertionError("no series " + series + " in\n" + all.body()));
    }

    /** Something that may throw. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    /** Waits for what no frame tells. */
    static void await(String what, Condition condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("still not: " + what);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    // ---------------------------------------------------------------- as a client of one's own making

    /** A socket to the backend's door. */
    RawHttp backendSocket() throws IOException {
        return new RawHttp(backendPort());
    }

    /** A socket to the clients' door. */
    RawHttp clientsSocket() throws IOException {
        return new RawHttp(clientsPort());
    }

    /** A WebSocket that has been welcomed. */
    RawWebSocket webSocket(String query) throws IOException {
        RawWebSocket socket = RawWebSocket.open(clientsPort(), query);
        String welcome = socket.text();
        if (!welcome.startsWith("{\"type\":\"welcome\"")) {
            throw new AssertionError("not a welcome: " + welcome);
        }
        return socket;
    }

    /** A WebSocket on a topic. */
    RawWebSocket subscriber(String topic) throws IOException {
        RawWebSocket socket = webSocket("?topic=" + topic);
        socket.expect("subscribed");
        return socket;
    }

    @Override
    public void close() {
        try {
            if (!gateway.isClosed()) {
                assertEquals(0, metric("barrage_conservation_error"), "messages lost or invented");
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            gateway.close();
            root().detachAppender(trouble);
            trouble.stop();
        }
        assertEquals(
                List.of(),
                trouble.found.stream()
                        .filter(line -> expected.stream().noneMatch(line::startsWith))
                        .toList(),
                "logged as trouble");
        expected.forEach(beginning -> assertTrue(
                trouble.found.stream().anyMatch(line -> line.startsWith(beginning)), "not logged: " + beginning));
    }
}
