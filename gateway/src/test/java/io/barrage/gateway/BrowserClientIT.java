package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.barrage.gateway.testkit.Browser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The browser client's own tests, with their scripted sockets and clocks, in a real browser. */
class BrowserClientIT {
    private static final Path FILES = Path.of("..", "protocol", "js").normalize();

    @Test
    @Timeout(120)
    void passesItsTestsInARealBrowser() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", BrowserClientIT::serve);
        server.start();
        try (Browser browser = new Browser(800, 600)) {
            browser.open("http://localhost:" + server.getAddress().getPort() + "/test/client-test.html");
            browser.await("window.results !== undefined && window.results.done === true");
            assertEquals(List.of(), browser.eval("window.results.failed.map(String)"));
            assertTrue((Long) browser.eval("window.results.passed") > 50, "few tests ran");
        } finally {
            server.stop(0);
        }
    }

    private static void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            Path file = FILES.resolve("." + exchange.getRequestURI().getPath()).normalize();
            if (!file.startsWith(FILES) || !Files.isRegularFile(file)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            String type = file.toString().endsWith(".html") ? "text/html" : "text/javascript";
            exchange.getResponseHeaders().set("content-type", type + "; charset=utf-8");
            byte[] body = Files.readAllBytes(file);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
