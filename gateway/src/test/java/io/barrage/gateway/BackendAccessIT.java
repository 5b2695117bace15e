package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.RawHttp.Answer;
import io.barrage.gateway.auth.ApiKeys;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may come through the backend's door. Without keys loopback is enough, but for the pages in a browser there. */
class BackendAccessIT {
    private static final String PUBLISHER = ApiKeys.generate();
    private static final String READER = ApiKeys.generate();
    private static final String CONTROLLER = ApiKeys.generate();

    private static GatewayUnderTest open;
    private static GatewayUnderTest keyed;

    @BeforeAll
    static void start() {
        open = GatewayUnderTest.start("");
        keyed = GatewayUnderTest.start("metrics: {open: true}\nbackend:\n  host: 127.0.0.1\n  port: 0\n  keys:\n"
                + key("shop", PUBLISHER, "publish") + key("ops", READER, "read") + key("admin", CONTROLLER, "control"));
    }

    private static String key(String name, String key, String scope) {
        return "    - {name: " + name + ", hash: \"" + ApiKeys.hash(key) + "\", scopes: [" + scope + "]}\n";
    }

    @AfterAll
    static void stop() {
        open.close();
        keyed.close();
    }

    private static Answer ask(GatewayUnderTest gateway, String method, String path, String headers) throws IOException {
        String body = method.equals("POST") && path.equals("/v1/publish") ? "{\"topic\":\"access:1\",\"data\":1}" : "";
        try (RawHttp http = gateway.backendSocket()) {
            return http.say(method + " " + path + " HTTP/1.1\n" + headers
                            + (body.isEmpty() ? "" : "\nContent-Type: application/json")
                            + "\nContent-Length: " + body.length() + "\n\n" + body)
                    .answer();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Host: localhost, 200",
        "Host: LocalHost:8081, 200",
        "Host: 127.0.0.1, 200",
        "Host: 127.0.0.1:1, 200",
        "Host: [::1], 200",
        "Host: [::1]:8081, 200",
        "Host: evil.example, 403",
        "Host: localhost.evil.example, 403",
        "Host: evil.example:8081, 403",
        "Host: 127.0.0.1.evil.example, 403",
        "Host: 0.0.0.0, 403",
        "Host: ::1, 403",
        "'Host:', 403",
        "Host: localhost|Origin: http://localhost, 200",
        "Host: localhost:8081|Origin: http://localhost:8081, 200",
        "Host: localhost:8081|Origin: http://localhost:3000, 403",
        "Host: localhost|Origin: https://evil.example, 403",
        "Host: localhost|Origin: null, 403",
        "Host: localhost|Origin:, 403",
        "Host: localhost|Sec-Fetch-Site: cross-site, 403",
        "Host: localhost|Sec-Fetch-Site: same-origin, 200",
        "Host: localhost|Sec-Fetch-Site: none, 200",
        "Host: evil.example|Origin: http://evil.example|Sec-Fetch-Site: same-origin, 403"
    })
    void withoutKeysForeignPagesAreKeptOut(String headers, int status) throws IOException {
        String lines = headers.replace('|', '\n');
        Answer publish = ask(open, "POST", "/v1/publish", lines);
        assertEquals(status, publish.status(), publish.body());
        assertEquals(status, ask(open, "GET", "/metrics", lines).status());
        assertEquals(status, ask(open, "GET", "/v1/node", lines).status());
        assertEquals(status, ask(open, "GET", "/v1/connections", lines).status());
        // Whether the process lives is no secret.
        assertEquals(200, ask(open, "GET", "/livez", lines).status());
        assertEquals("", publish.header("access-control-allow-origin"));
    }

    @Test
    void preflightsAreNotAnswered() throws IOException {
        Answer answer = ask(open, "OPTIONS", "/v1/publish", "Host: localhost\nOrigin: https://evil.example");
        assertEquals(405, answer.status());
        assertEquals("", answer.header("access-control-allow-origin"));
    }

    @Test
    void keysAreAskedFor() throws IOException {
        for (String missing : new String[] {
            "",
            "\nAuthorization: Basic YTpi",
            "\nAuthorization: Bearer",
            "\nAuthorization: Bearer ",
            "\nAuthorization: Bearer " + ApiKeys.generate(),
            "\nAuthorization: Bearer " + PUBLISHER + "x",
            "\nAuthorization: " + PUBLISHER
        }) {
            Answer answer = ask(keyed, "POST", "/v1/publish", "Host: localhost" + missing);
            assertEquals(401, answer.status(), answer.body());
            assertEquals("Bearer", answer.header("www-authenticate"));
            assertTrue(answer.body().contains("\"code\":\"unauthorized\""), answer.body());
            assertTrue(!answer.body().contains(PUBLISHER), "shows the key");
        }
    }

    @Test
    void keysAreGoodForTheirScopes() throws IOException {
        assertEquals(200, with(PUBLISHER, "POST", "/v1/publish").status());
        assertEquals(200, with(READER, "GET", "/v1/node").status());
        Answer refused = with(PUBLISHER, "GET", "/v1/node");
        assertEquals(403, refused.status());
        assertTrue(refused.body().contains("API key 'shop' lacks the scope 'read'"), refused.body());
        assertEquals(200, with(READER, "GET", "/v1/connections").status());
        assertEquals(403, with(PUBLISHER, "GET", "/v1/connections").status());
        assertEquals(403, with(CONTROLLER, "GET", "/v1/connections").status());
        assertEquals(403, with(READER, "POST", "/v1/publish").status());
        assertEquals(403, with(CONTROLLER, "POST", "/v1/publish").status());
        assertEquals(403, with(READER, "POST", "/v1/node/drain").status());
        assertEquals(403, with(PUBLISHER, "POST", "/v1/node/drain").status());
        assertEquals(200, ask(keyed, "GET", "/readyz", "Host: localhost").status());
        assertEquals(200, ask(keyed, "GET", "/metrics", "Host: localhost").status(), "metrics.open");
    }

    private static Answer with(String key, String method, String path) throws IOException {
        // With a key it doesn't matter where the request comes from, nor how the scheme is written.
        String headers = "Host: push.example\nOrigin: https://elsewhere.example\nSec-Fetch-Site: cross-site\n"
                + "Authorization: bEARER " + key;
        return ask(keyed, method, path, headers);
    }

    @Test
    void messageIdsBelongToTheirKey() throws IOException {
        String body = "{\"topic\":\"access:id\",\"messageId\":\"m\",\"data\":1}";
        String request = "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "
                + body.length() + "\nAuthorization: Bearer " + PUBLISHER + "\n\n" + body;
        try (RawHttp http = keyed.backendSocket()) {
            assertTrue(http.say(request).answer().body().endsWith("\"offset\":1}"));
            assertTrue(http.say(request).answer().body().endsWith("\"offset\":1,\"duplicate\":true}"));
        }
    }
}
