package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.Browser;
import io.barrage.gateway.testkit.GatewayProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** The live demo in two windows of a real browser, before a gateway that runs as a process. */
@Timeout(180)
class LiveDemoIT {
    private static final String CONNECTED = "document.querySelector('#state').dataset.state === 'connected'";
    private static final String NOT_CONNECTED = "document.querySelector('#state').dataset.state !== 'connected'";

    private GatewayProcess gateway;
    private Browser wide;
    private Browser phone;

    @BeforeEach
    void open() {
        // Nobody else takes them while it is away: what the system gives lies above.
        gateway = new GatewayProcess(freePort(), freePort());
        wide = new Browser(1280, 720);
        phone = new Browser(390, 844);
        for (Browser window : new Browser[] {wide, phone}) {
            window.open("http://localhost:" + gateway.clientsPort() + "/");
            window.await(CONNECTED);
        }
    }

    @AfterEach
    void close() {
        for (AutoCloseable resource : new AutoCloseable[] {phone, wide, gateway}) {
            try {
                if (resource != null) {
                    resource.close();
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void carriesCommentsAndGiftsFromOneWindowToTheOther() throws Exception {
        wide.await("document.querySelector('#online').dataset.count === '2'");
        for (Browser window : new Browser[] {wide, phone}) {
            window.await("document.querySelectorAll('#people-list li').length === 2");
            assertEquals(1L, window.eval("document.querySelectorAll('#people-list .own').length"));
        }

        say(wide, "弹幕 from the wide window 🚀");
        phone.await(logHas("弹幕 from the wide window 🚀"));

        phone.driver().findElement(By.id("comment")).sendKeys("a rocket");
        phone.driver().findElement(By.id("gift")).click();
        wide.await(logHas("a rocket"));
        assertEquals(
                "gift",
                wide.eval("[...document.querySelectorAll('#log li')].find(li => li.textContent.includes('a rocket'))"
                        + ".dataset.kind"));
        keepScreenshots("live");
    }

    @Test
    void showsWhatABackendPublishes() throws Exception {
        publish("\"<b>plain & simple</b>\"");
        wide.await(logHas("<b>plain & simple</b>"));
        assertEquals(0L, wide.eval("document.querySelectorAll('#log b').length"));
    }

    @Test
    void showsWhatMakesNoSense() throws Exception {
        String unprintable = "{\"toString\":1,\"valueOf\":1}";
        publish("{\"text\":\"a list for a colour\",\"color\":[\"#ffffff\"]}");
        publish("{\"kind\":\"gift\",\"gift\":\"constructor\",\"text\":" + unprintable + ",\"color\":" + unprintable
                + "}");
        wide.await("document.querySelector('#log [data-kind=gift]') !== null");
        assertEquals("🎁", wide.eval("document.querySelector('#log [data-kind=gift] .text').textContent"));
        assertEquals(true, wide.eval(logHas("a list for a colour")));
        assertEquals("🎁", wide.eval("document.querySelector('#gifts .icon').textContent"));
        assertEquals("sent a gift", wide.eval("document.querySelector('#gifts .words span').textContent"));
    }

    private void publish(String data) throws Exception {
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + gateway.backendPort() + "/v1/publish"))
                                .header("content-type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(
                                        "{\"topic\":\"demo:stage\",\"data\":" + data + "}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
    }

    /** Its `online` frames don't say that it is, so there is nothing to ask for again. */
    @Test
    void asksOnceForAListThatIsTooLongForAnAnswer() {
        wide.driver().executeScript("""
                const { send } = WebSocket.prototype;
                window.asked = 0;
                WebSocket.prototype.send = function (text) {
                  const { type, id, topic } = JSON.parse(text);
                  window.tell = (frame) => this.onmessage({ data: JSON.stringify({ topic, ...frame }) });
                  if (type !== 'presence') {
                    send.call(this, text);
                    return;
                  }
                  window.asked++;
                  window.tell({ type, id, online: 3, users: 3, members: [], truncated: true });
                };""");
        say(wide, "who speaks has a socket");
        wide.await(logHas("who speaks has a socket"));
        wide.driver().executeScript("tell({ type: 'gap', count: 1, reason: 'behind' })");
        wide.await("asked === 1");
        wide.driver().executeScript("for (const count of [3, 4, 5]) tell({ type: 'online', count })");
        assertEquals("5", wide.eval("document.querySelector('#online').dataset.count"));
        assertEquals(1L, wide.eval("asked"));
    }

    @Test
    void comesBackByItselfWhenTheGatewayWasKilled() throws Exception {
        gateway.kill();
        for (Browser window : new Browser[] {wide, phone}) {
            window.await(NOT_CONNECTED);
        }
        keepScreenshots("away");
        int clients = gateway.clientsPort();
        int backend = gateway.backendPort();
        gateway = new GatewayProcess(clients, backend);
        for (Browser window : new Browser[] {wide, phone}) {
            window.await(CONNECTED);
        }
        say(phone, "back again");
        wide.await(logHas("back again"));
    }

    @Test
    void comesBackByItselfWhenTheGatewayWasStopped() {
        assertEquals(0, gateway.terminate(), gateway.output());
        wide.await(NOT_CONNECTED);
        gateway = new GatewayProcess(gateway.clientsPort(), gateway.backendPort());
        wide.await(CONNECTED);
        phone.await(CONNECTED);
        say(wide, "after a restart");
        phone.await(logHas("after a restart"));
    }

    @Test
    void aHotRoomHidesCommentsForAllAlikeAndNeverAGift() throws Exception {
        assertEquals(true, wide.eval("document.querySelector('#flood').hidden"), "a flood is for hot rooms");
        wide.driver().findElement(By.id("hot")).click();
        phone.open((String) wide.eval("location.href"));
        for (Browser window : new Browser[] {wide, phone}) {
            window.await(CONNECTED);
            window.await("document.querySelector('#topic').textContent === 'hot:stage'");
            window.await("document.querySelector('#online').dataset.count === '2'");
        }

        wide.driver().findElement(By.id("flood")).click();
        phone.await(number("gifts-seen") + " >= 3 && " + number("hidden") + " > 0");
        wide.await(number("gifts-seen") + " >= 3 && " + number("hidden") + " > 0");
        wide.await("!document.querySelector('#hidden-flash').hidden");
        for (Browser window : new Browser[] {wide, phone}) {
            window.await("!document.querySelector('#likes-figure').hidden && " + number("likes") + " > 2000");
        }
        keepScreenshots("hot");
        wide.driver().findElement(By.id("flood")).click();
        wide.await(pressed("flood", false));
        wide.await("document.querySelector('#offered').textContent === '0'");
        phone.await("document.querySelector('#offered').textContent === '0'");

        for (Browser window : new Browser[] {wide, phone}) {
            window.await("document.querySelector('#gifts-figure').hasAttribute('data-whole')");
            assertEquals(window.eval(number("gifts-sent")), window.eval(number("gifts-seen")));
        }
        assertEquals(wide.eval(number("gifts-seen")), phone.eval(number("gifts-seen")));
        assertEquals(wide.eval(number("hidden")), phone.eval(number("hidden")), "hidden for all alike");
        assertEquals(wide.eval(LINES), phone.eval(LINES), "the same room in both windows");
        assertTrue((Boolean) wide.eval("(" + LINES + ").length > 20"), "a list of some length");
        phone.await("the same likes in both windows", () -> wide.eval(number("likes"))
                .equals(phone.eval(number("likes"))));
    }

    @Test
    void aFloodEndsWhenItsPageIsHidden() {
        wide.driver().findElement(By.id("hot")).click();
        assertEquals(true, wide.eval(pressed("hot", true)));
        assertEquals(true, wide.eval(pressed("flood", false)), "no flood begins by itself");
        wide.driver().findElement(By.id("flood")).click();
        wide.await(number("shown") + " > 0");
        assertEquals(true, wide.eval(pressed("flood", true)));
        wide.driver()
                .executeScript("Object.defineProperty(document, 'hidden', {get: () => true});"
                        + "document.dispatchEvent(new Event('visibilitychange'));");
        assertEquals(true, wide.eval(pressed("flood", false)));

        wide.driver().findElement(By.id("hot")).click();
        wide.await("document.querySelector('#topic').textContent === 'demo:stage'");
        assertEquals("", wide.eval("location.search"));
        say(phone, "a room like before");
        wide.await(logHas("a room like before"));
    }

    /** The last lines that have a place in the topic's order, as many as both windows surely have. */
    private static final String LINES = "[...document.querySelectorAll('#log li[data-offset]')].slice(-60)"
            + ".map(li => li.dataset.offset + ' ' + li.textContent)";

    private static String number(String id) {
        return "Number(document.querySelector('#" + id + "').textContent.replaceAll(',', ''))";
    }

    private static String pressed(String id, boolean pressed) {
        return "document.querySelector('#" + id + "').getAttribute('aria-pressed') === '" + pressed + "'";
    }

    private static void say(Browser window, String text) {
        // ChromeDriver can't type characters beyond the BMP; the page gets them as a paste would put them.
        window.driver()
                .executeScript(
                        "const box = document.querySelector('#comment'); box.value = arguments[0];"
                                + "box.dispatchEvent(new Event('input', {bubbles: true}));",
                        text);
        window.driver().findElement(By.id("comment")).sendKeys(Keys.ENTER);
    }

    private static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(12_000, 32_000);
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (IOException ignored) {
                // Somebody has it.
            }
        }
    }

    private static String logHas(String text) {
        return "document.querySelector('#log').textContent.includes('" + text + "')";
    }

    /** For people to look at; the test only sees that there is a picture. */
    private void keepScreenshots(String name) throws Exception {
        Path folder = Files.createDirectories(Path.of("target", "screenshots"));
        byte[] picture = wide.screenshot();
        assertTrue(picture.length > 10_000, "an empty picture");
        Files.write(folder.resolve(name + "-wide.png"), picture);
        Files.write(folder.resolve(name + "-phone.png"), phone.screenshot());
    }
}
