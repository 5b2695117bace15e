package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.barrage.gateway.testkit.Browser;
import io.barrage.gateway.testkit.GatewayProcess;
import io.barrage.gateway.testkit.Requirements;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The examples of the docs do what they say: publishers and backends as processes, pages in a real browser. */
@Timeout(120)
class ExamplesIT {
    private static final Path EXAMPLES =
            Path.of("..", "docs", "examples").toAbsolutePath().normalize();
    private static final long PATIENCE_SECONDS = 30;
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static GatewayProcess gateway;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        gateway = new GatewayProcess(0, 0);
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    // ---------------------------------------------------------------- publishers

    @Test
    void publishesWithCurl() throws Exception {
        Requirements.command("curl");
        assertPublishes("{\"text\":\"弹幕 <b>\"}", "sh", "publish/publish.sh", "{\"text\":\"弹幕 <b>\"}");
    }

    @Test
    void publishesWithJava() throws Exception {
        assertPublishes("{\"text\":\"弹幕 <b>\"}", java(), "publish/Publish.java", "{\"text\":\"弹幕 <b>\"}");
    }

    @Test
    void publishesWithPython() throws Exception {
        assertPublishes("{\"text\": \"plain <b>\"}", program("python3"), "publish/publish.py", "plain <b>");
    }

    @Test
    void publishesWithNode() throws Exception {
        assertPublishes("{\"text\":\"弹幕 <b>\"}", program("node"), "publish/publish.mjs", "弹幕 <b>");
    }

    @Test
    void failsAndSaysWhyWhenAPublishIsRefused() throws Exception {
        Requirements.command("curl");
        for (List<String> publisher : List.of(
                List.of("sh", "publish/publish.sh"),
                List.of(java(), "publish/Publish.java"),
                List.of(program("python3"), "publish/publish.py"),
                List.of(program("node"), "publish/publish.mjs"))) {
            Process process = run(publisher.get(0), publisher.get(1), "no spaces here", "\"x\"");
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), publisher + " hangs");
            assertNotEquals(0, process.exitValue(), publisher + ": " + output);
            assertTrue(output.contains("bad_request"), publisher + ": " + output);
        }
    }

    @Test
    void failsAndShowsTheAnswerWhenItIsAProxysPage() throws Exception {
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        AtomicInteger requests = new AtomicInteger();
        proxy.createContext("/", exchange -> {
            requests.incrementAndGet();
            byte[] page = "<h1>who are you?</h1>".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(403, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
        });
        proxy.start();
        try {
            String url = "http://127.0.0.1:" + proxy.getAddress().getPort();
            for (List<String> publisher : List.of(
                    List.of(program("python3"), "publish/publish.py"),
                    List.of(program("node"), "publish/publish.mjs"))) {
                requests.set(0);
                Process process = runAt(url, publisher.get(0), publisher.get(1), "demo:hello", "x");
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), publisher + " hangs");
                assertNotEquals(0, process.exitValue(), publisher + ": " + output);
                assertTrue(output.contains("403 Forbidden: <h1>who are you?</h1>"), publisher + ": " + output);
                assertEquals(1, requests.get(), publisher + " asks again");
            }
        } finally {
            proxy.stop(0);
        }
    }

    private static void assertPublishes(String expectedData, String program, String file, String argument)
            throws Exception {
        String topic = "demo:" + file.replaceAll("[^A-Za-z]", "-");
        try (Listener listener = new Listener(topic)) {
            Process process = run(program, file, topic, argument);
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), file + " hangs");
            assertEquals(0, process.exitValue(), output);
            assertTrue(output.contains("offset"), output);
            String frame = listener.nextMessage();
            assertTrue(frame.endsWith(",\"data\":" + expectedData + "}"), frame);
        }
    }

    // ---------------------------------------------------------------- a backend that pushes

    @Test
    void pushesTheTimeFromPython() throws Exception {
        assertTicks(program("python3"), "clock/clock.py");
    }

    @Test
    void pushesTheTimeFromNode() throws Exception {
        assertTicks(program("node"), "clock/clock.mjs");
    }

    private static void assertTicks(String program, String file) throws Exception {
        try (Listener listener = new Listener("clock")) {
            Process clock = run(program, file);
            try {
                for (int tick = 0; tick < 2; tick++) {
                    String frame = listener.nextMessage();
                    assertTrue(frame.matches(".*\"data\":\\{\"now\": ?\"20\\d\\d-[^\"]+\"}}"), frame);
                }
            } finally {
                clock.destroy();
                clock.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
        }
    }

    // ---------------------------------------------------------------- pages

    @Test
    void showsMessagesOnThePlainPage() throws Exception {
        try (Browser browser = new Browser(600, 400)) {
            browser.open(file("plain.html"));
            browser.await("document.body.innerText.includes('\"subscribed\"')");
            publish("demo:hello", "\"<i>plain</i>\"");
            browser.await("document.body.innerText.includes('\"data\":\"<i>plain</i>\"')");
        }
    }

    @Test
    void echoesWhatIsTyped() throws Exception {
        try (Browser browser = new Browser(600, 400)) {
            browser.open(file("echo.html"));
            browser.await("socket.readyState === WebSocket.OPEN");
            browser.driver().findElement(By.name("text")).sendKeys("<i>again</i>", Keys.ENTER);
            browser.await("/^<i>again<\\/i> \\([0-9.]+ ms, offset 1\\)/.test(document.querySelector('li')?.innerText)");
        }
    }

    @Test
    void saysThatNothingIsSentBeforeItIsConnected() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Browser browser = new Browser(600, 400)) {
            browser.open(EXAMPLES.resolve("echo.html").toUri() + "?gateway=127.0.0.1:" + silent.getLocalPort());
            browser.driver().findElement(By.name("text")).sendKeys("too soon", Keys.ENTER);
            browser.await("document.querySelector('li')?.innerText === 'not connected'");
            assertEquals("too soon", browser.eval("document.querySelector('input').value"));
        }
    }

    @Test
    void showsTheTime() throws Exception {
        try (Browser browser = new Browser(600, 400)) {
            browser.open(file("clock/clock.html"));
            browser.await("/pushed to \\d+ viewers/.test(document.body.innerText)");
            publish("clock", "{\"now\":\"2026-05-06T07:08:09.000Z\"}");
            browser.await("document.querySelector('time').innerText"
                    + " === new Date('2026-05-06T07:08:09.000Z').toLocaleTimeString()");
        }
    }

    @Test
    void chats() throws Exception {
        try (Listener listener = new Listener("demo:chat");
                Browser browser = new Browser(600, 400)) {
            browser.open(file("chat.html") + "&user=ann");
            browser.await("document.querySelector('#state').innerText === 'ann, 2 here'");
            browser.driver().findElement(By.name("text")).sendKeys("hello <i>all</i>", Keys.ENTER);
            browser.await("document.querySelector('li')?.innerText === 'ann: hello <i>all</i>'");
            browser.await("document.querySelector('input').value === ''");
            String frame = listener.nextMessage();
            assertTrue(frame.contains("\"sender\":\"ann\""), frame);

            publish("demo:chat", "{\"text\":\"welcome\"}", ",\"sender\":\"shop\"");
            browser.await("document.querySelector('li:last-child').innerText === 'shop: welcome'");
        }
    }

    @Test
    void publishesALineOnceThatIsSentAgainBecauseItsAnswerWasLost() throws Exception {
        try (Listener listener = new Listener("demo:chat");
                Browser browser = new Browser(600, 400)) {
            browser.open(file("chat.html") + "&user=eve");
            browser.await("document.querySelector('#state').innerText === 'eve, 2 here'");
            browser.driver().executeScript("""
                    const { send } = WebSocket.prototype;
                    WebSocket.prototype.send = function (text) {
                      send.call(this, text);
                      if (JSON.parse(text).type === 'publish') {
                        WebSocket.prototype.send = send;
                        this.onclose({ code: 1006, reason: '' });
                      }
                    };""");
            browser.driver().findElement(By.name("text")).sendKeys("just once", Keys.ENTER);
            assertTrue(listener.nextMessage().contains("just once"));
            browser.await("document.querySelector('#state').innerText.endsWith(' here')");
            assertEquals("just once", browser.eval("document.querySelector('input').value"));
            browser.driver().findElement(By.name("text")).sendKeys(Keys.ENTER);
            browser.await("document.querySelector('input').value === ''");
            publish("demo:chat", "{\"text\":\"the next\"}");
            assertTrue(listener.nextMessage().contains("the next"), "published twice");
        }
    }

    @Test
    void mountsAndUnmountsTheVueComponent() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", ExamplesIT::serveVue);
        server.start();
        try (Browser browser = new Browser(600, 400)) {
            browser.open("http://localhost:" + server.getAddress().getPort() + "/index.html?gateway=localhost:"
                    + gateway.clientsPort());
            browser.await("document.querySelector('small')?.innerText === '1 here'");
            publish("demo:vue", "{\"text\":\"<i>one</i>\"}");
            browser.await("document.querySelector('li')?.innerText.trim() === '<i>one</i>'");
            publish("demo:vue", "null");
            publish("demo:vue", "\"plain\"");
            browser.await("document.querySelector('li:nth-child(3)')?.innerText.trim() === 'plain'");

            WebElement topic = browser.driver().findElement(By.tagName("input"));
            topic.clear();
            topic.sendKeys("demo:other", Keys.ENTER);
            browser.await("document.querySelector('h2').innerText === 'demo:other 1 here'");
            assertEquals(0L, browser.eval("document.querySelectorAll('li').length"));
            publish("demo:other", "{\"text\":\"two\"}");
            browser.await("document.querySelector('li')?.innerText.trim() === 'two'");

            try (Listener other = new Listener("demo:other")) {
                assertTrue(other.subscribed.contains("\"online\":2}"), other.subscribed);
            }
            browser.driver().findElement(By.tagName("button")).click();
            browser.await("document.querySelector('section') === null");
            awaitOnline(0, "demo:other");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void showsMessagesOnThePagesOfTheGuides() throws Exception {
        Path top = EXAMPLES.resolve("../..");
        int pages = 0;
        try (Browser browser = new Browser(600, 400)) {
            for (String guide : List.of("README.md", "docs/getting-started.md")) {
                Matcher html = Pattern.compile("(?s)```html\n(.*?)```").matcher(Files.readString(top.resolve(guide)));
                while (html.find()) {
                    String page = html.group(1).replace("localhost:8080", "localhost:" + gateway.clientsPort());
                    Matcher topic = Pattern.compile("(?:demo|room):\\w+").matcher(page);
                    assertTrue(topic.find(), page);
                    browser.open(Files.writeString(folder.resolve("page.html"), page)
                            .toUri()
                            .toString());
                    awaitOnline(1, topic.group());
                    publish(topic.group(), "{\"text\":\"<i>" + ++pages + "</i>\"}");
                    browser.await("document.querySelector('li')?.innerText === '{\"text\":\"<i>" + pages + "</i>\"}'");
                    browser.open("about:blank");
                    awaitOnline(0, topic.group());
                }
            }
        }
        assertTrue(pages >= 3, "only " + pages);
    }

    /** Waits until so many others are on the topic, as its subscribers are told. */
    private static void awaitOnline(int others, String topic) throws Exception {
        int wanted = others + 1;
        try (Listener self = new Listener(topic)) {
            String told = self.subscribed;
            while (!told.endsWith("\"online\":" + wanted + "}") && !told.endsWith("\"count\":" + wanted + "}")) {
                told = self.next("online");
            }
        }
    }

    /** What {@code python3 -m http.server} would do after {@code npm install}. */
    private static void serveVue(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            byte[] body;
            if (path.startsWith("/node_modules/vue/")) {
                body = vue(path.substring("/node_modules/vue/".length()));
            } else {
                Path file = EXAMPLES.resolve("vue").resolve(path.substring(1)).normalize();
                if (!file.startsWith(EXAMPLES) || !Files.isRegularFile(file)) {
                    exchange.sendResponseHeaders(404, -1);
                    return;
                }
                body = Files.readAllBytes(file);
            }
            String type = path.endsWith(".html") ? "text/html" : "text/javascript";
            exchange.getResponseHeaders().set("content-type", type + "; charset=utf-8");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static byte[] vue(String file) throws IOException {
        Properties pom = new Properties();
        try (InputStream in = resource("/META-INF/maven/org.webjars.npm/vue/pom.properties")) {
            pom.load(in);
        }
        try (InputStream in = resource("/META-INF/resources/webjars/vue/" + pom.getProperty("version") + "/" + file)) {
            return in.readAllBytes();
        }
    }

    private static InputStream resource(String name) throws IOException {
        InputStream in = ExamplesIT.class.getResourceAsStream(name);
        if (in == null) {
            throw new IOException("not on the class path: " + name);
        }
        return in;
    }

    // ---------------------------------------------------------------- what they share

    /** The page as a visitor opens it, from the disk. */
    private static String file(String name) {
        return EXAMPLES.resolve(name).toUri() + "?gateway=localhost:" + gateway.clientsPort();
    }

    private static String program(String name) {
        return Requirements.command(name).toString();
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static Process run(String program, String file, String... arguments) throws IOException {
        return runAt("http://127.0.0.1:" + gateway.backendPort(), program, file, arguments);
    }

    private static Process runAt(String url, String program, String file, String... arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(program, EXAMPLES.resolve(file).toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("GATEWAY_URL", url);
        // Otherwise arguments beyond ASCII wouldn't reach a JVM in the C locale.
        builder.environment().put("LC_ALL", "C.UTF-8");
        return builder.start();
    }

    private static void publish(String topic, String data, String... more) throws Exception {
        String body = "{\"topic\":\"" + topic + "\",\"data\":" + data + String.join("", more) + "}";
        HttpResponse<String> answer = HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.backendPort() + "/v1/publish"))
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
    }

    /** A bare WebSocket on one topic. */
    private static final class Listener implements AutoCloseable, WebSocket.Listener {
        private final BlockingQueue<String> frames = new LinkedBlockingQueue<>();
        private final StringBuilder partial = new StringBuilder();
        private final WebSocket socket;
        private final String subscribed;

        /** Returns when it is subscribed. */
        Listener(String topic) throws Exception {
            socket = HTTP.newWebSocketBuilder()
                    .buildAsync(URI.create("ws://127.0.0.1:" + gateway.clientsPort() + "/ws?topic=" + topic), this)
                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            subscribed = next("subscribed");
        }

        @Override
        public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            partial.append(data);
            if (last) {
                frames.add(partial.toString());
                partial.setLength(0);
            }
            webSocket.request(1);
            return null;
        }

        String nextMessage() throws InterruptedException {
            return next("message");
        }

        private String next(String type) throws InterruptedException {
            String start = "{\"type\":\"" + type + "\"";
            while (true) {
                String frame = frames.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                if (frame == null) {
                    throw new AssertionError("no " + type + " came");
                }
                if (frame.startsWith(start)) {
                    return frame;
                }
            }
        }

        @Override
        public void close() {
            socket.abort();
        }
    }
}
