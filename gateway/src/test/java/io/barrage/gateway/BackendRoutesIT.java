package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.RawHttp.Answer;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.backend.Route;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What all routes of the backend's listener have in common: how they refuse, and that HEAD is GET without a body. */
class BackendRoutesIT {
    private static final JsonMapper JSON = new JsonMapper();

    private static final List<String> METHODS =
            List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY");

    private static final Map<Scope, String> KEYS = Map.of(
            Scope.PUBLISH, ApiKeys.generate(), Scope.READ, ApiKeys.generate(), Scope.CONTROL, ApiKeys.generate());

    private static GatewayUnderTest open;
    private static GatewayUnderTest locked;

    @BeforeAll
    static void start() throws Exception {
        open = GatewayUnderTest.start("namespaces: [{name: room, presence: members}]");
        StringBuilder keys = new StringBuilder("backend:\n  host: 127.0.0.1\n  port: 0\n  keys:\n");
        KEYS.forEach((scope, key) -> keys.append("    - {name: ")
                .append(wire(scope))
                .append(", hash: \"")
                .append(ApiKeys.hash(key))
                .append("\", scopes: [")
                .append(wire(scope))
                .append("]}\n"));
        locked = GatewayUnderTest.start(keys.toString());
        open.publish("room:1", "1");
    }

    @AfterAll
    static void stop() throws IOException {
        // A gateway with keys would refuse to be asked for its books.
        locked.gateway().close();
        locked.close();
        open.close();
    }

    private static String wire(Scope scope) {
        return scope.name().toLowerCase(Locale.ROOT);
    }

    // ---------------------------------------------------------------- the routes

    private static List<Route> routes() {
        return open.gateway().backendRoutes();
    }

    private static Stream<Named<Route>> only(GatewayUnderTest gateway, Predicate<Route> which) {
        return gateway.gateway().backendRoutes().stream()
                .filter(which)
                .map(route -> Named.of(route.method() + " " + route.template(), route));
    }

    static Stream<Named<Route>> readingRoutes() {
        return only(open, route -> route.method().equals(HttpMethod.GET));
    }

    static Stream<Named<Route>> postingRoutes() {
        return only(open, route -> route.method().equals(HttpMethod.POST));
    }

    static Stream<Named<Route>> bodylessRoutes() {
        return only(open, route -> !route.method().equals(HttpMethod.POST));
    }

    static Stream<Named<Route>> lockedRoutes() {
        return only(locked, route -> route.scope() != null);
    }

    static Stream<Named<Route>> versionedRoutes() {
        return only(open, route -> route.template().startsWith("/v1/"));
    }

    static Stream<String> paths() {
        return routes().stream().map(BackendRoutesIT::path).distinct();
    }

    /** With something at each place that is there, but for connections. */
    private static String path(Route route) {
        return route.template()
                .replace("{topic}", "room:1")
                .replace("{user}", "u7")
                .replace("{connection}", "none-1");
    }

    private static String request(String method, String path, String... headers) {
        StringBuilder text = new StringBuilder(method + ' ' + path + " HTTP/1.1\nHost: localhost\n");
        for (String header : headers) {
            text.append(header).append('\n');
        }
        return text.append('\n').toString();
    }

    /** A request with a body, as it goes over the wire. */
    private static String post(String path, String contentType, String body, String... headers) {
        List<String> all = new ArrayList<>(List.of(headers));
        if (!contentType.isEmpty()) {
            all.add("Content-Type: " + contentType);
        }
        all.add("Content-Length: " + body.length());
        return request("POST", path, all.toArray(String[]::new)) + body;
    }

    private static void assertProblem(int status, String code, String detail, Answer answer) {
        assertEquals(status, answer.status(), answer.body());
        assertEquals("application/problem+json", answer.header("content-type"));
        JsonNode problem = JSON.readTree(answer.body());
        assertEquals("about:blank", problem.get("type").asString());
        assertEquals(status, problem.get("status").asInt());
        assertEquals(code, problem.get("code").asString());
        assertTrue(!problem.get("title").asString().isEmpty());
        assertTrue(problem.get("detail").asString().contains(detail), answer.body());
    }

    private static void assertAlive(RawHttp http) throws IOException {
        assertEquals("ok\n", http.say(request("GET", "/livez")).answer().body());
    }

    // ---------------------------------------------------------------- methods

    @ParameterizedTest
    @MethodSource("paths")
    void refusesAllOtherMethodsAndNamesItsOwn(String path) throws IOException {
        List<String> allowed = new ArrayList<>();
        for (Route route : routes()) {
            if (path(route).equals(path)) {
                allowed.add(route.method().name());
                if (route.method().equals(HttpMethod.GET)) {
                    allowed.add("HEAD");
                }
            }
        }
        String allow = String.join(", ", allowed);
        int refused = 0;
        try (RawHttp http = open.backendSocket()) {
            for (String method : METHODS) {
                if (allowed.contains(method)) {
                    continue;
                }
                http.say(request(method, path));
                Answer answer = method.equals("HEAD") ? http.head() : http.answer();
                assertEquals(405, answer.status(), method);
                assertEquals(allow, answer.header("allow"), method);
                assertEquals("application/problem+json", answer.header("content-type"));
                if (!method.equals("HEAD")) {
                    String detail = method + " isn't for this path; it takes " + allow;
                    assertProblem(405, "method_not_allowed", detail, answer);
                }
                refused++;
            }
            assertAlive(http);
        }
        assertEquals(METHODS.size() - allowed.size(), refused);
    }

    @ParameterizedTest
    @MethodSource("readingRoutes")
    void answersHeadAsGetButWithoutABody(Route route) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            Answer get = http.say(request("GET", path(route))).answer();
            Answer head = http.say(request("HEAD", path(route))).head();
            assertEquals(200, get.status(), get.body());
            assertEquals(get.status(), head.status());
            assertEquals(get.headers().keySet(), head.headers().keySet());
            assertEquals(get.header("content-type"), head.header("content-type"));
            assertTrue(Integer.parseInt(head.header("content-length")) > 0);
            // A body would be read as the next answer.
            assertAlive(http);
        }
    }

    @ParameterizedTest
    @MethodSource("readingRoutes")
    void sendsItsOneTypeWhateverIsAccepted(Route route) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            Answer plain = http.say(request("GET", path(route))).answer();
            Answer asked = http.say(request("GET", path(route), "Accept: image/png", "Accept-Encoding: br, gzip"))
                    .answer();
            assertEquals(200, asked.status(), asked.body());
            assertEquals(plain.headers().keySet(), asked.headers().keySet());
            assertEquals(plain.header("content-type"), asked.header("content-type"));
        }
    }

    // ---------------------------------------------------------------- targets

    @ParameterizedTest
    @MethodSource("versionedRoutes")
    void refusesQueryParametersThatItDoesntKnow(Route route) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            http.say(
                    route.method().equals(HttpMethod.POST)
                            ? post(path(route) + "?pretty=1", "application/json", "{}")
                            : request(route.method().name(), path(route) + "?pretty=1"));
            assertProblem(400, "bad_request", "there is no query parameter 'pretty' here", http.answer());
        }
    }

    @ParameterizedTest
    @MethodSource("paths")
    void isAtItsOwnPathOnly(String path) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            // Behind a place that takes anything, a slash begins another segment.
            for (String other : new String[] {path + "/", "/" + path, path.toUpperCase(Locale.ROOT), path + "%00"}) {
                Answer answer = http.say(request("GET", other)).answer();
                int status = answer.status();
                // Where it ends in a name, that is another name then.
                assertTrue(status == 404 || status == 400 || status == 405, other + " " + answer.body());
                assertEquals("application/problem+json", answer.header("content-type"));
            }
            assertAlive(http);
            Answer broken = http.say(request("GET", path + "%zz")).answer();
            assertProblem(400, "bad_request", "hexadecimal digits", broken);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "/", "/v1", "/v2/publish", "/v1/topics/a/b", "/v1/node/undrain", "/favicon.ico"})
    void nothingIsAtOtherPaths(String path) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            assertProblem(
                    404,
                    "not_found",
                    "this is the backend's listener, with /healthz,",
                    http.say(request("OPTIONS", path)).answer());
            assertAlive(http);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /v1/topics/$room",
                "GET /v1/topics/a%20b/history",
                "DELETE /v1/topics/a%2Fb/history",
                "POST /v1/topics/-/retract",
                "GET /v1/topics/a,b/presence",
                "GET /v1/users/a%20b",
                "POST /v1/users/a,b/subscribe",
                "POST /v1/users/a%23b/unsubscribe",
                "POST /v1/users/%ff/disconnect"
            })
    void refusesNamesThatAreNone(String target) throws IOException {
        String[] parts = target.split(" ", 2);
        try (RawHttp http = open.backendSocket()) {
            http.say(parts[0].equals("POST") ? post(parts[1], "application/json", "{}") : request(parts[0], parts[1]));
            assertProblem(400, "bad_request", "name", http.answer());
        }
    }

    // ---------------------------------------------------------------- bodies

    @ParameterizedTest
    @MethodSource("bodylessRoutes")
    void takesNoBody(Route route) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            String method = route.method().name();
            http.say(request(method, path(route), "Content-Type: application/json", "Content-Length: 2") + "{}");
            assertProblem(400, "bad_request", "this request takes no body", http.answer());
        }
        try (RawHttp http = open.backendSocket()) {
            http.say(request("GET", path(route), "Content-Length: 20000000"));
            assertTrue(http.answer().status() >= 400);
        }
    }

    @ParameterizedTest
    @MethodSource("postingRoutes")
    void takesJsonOnly(Route route) throws IOException {
        String path = path(route);
        for (String type : new String[] {"", "text/plain", "text/json", "application/xml", "application/jsonp"}) {
            if (type.isEmpty() && path.endsWith("/drain")) {
                continue;
            }
            try (RawHttp http = open.backendSocket()) {
                http.say(post(path, type, "{}"));
                assertProblem(415, "unsupported_media_type", "application/json", http.answer());
            }
        }
        try (RawHttp http = open.backendSocket()) {
            http.say(post(path, "application/json", "{}", "Content-Encoding: gzip"));
            assertProblem(415, "unsupported_media_type", "Content-Encoding", http.answer());
        }
    }

    @ParameterizedTest
    @MethodSource("postingRoutes")
    void saysWhatIsWrongWithItsBody(Route route) throws IOException {
        if (route.template().endsWith("/drain")) {
            // It asks for nothing, and would end the node.
            return;
        }
        Map<String, String> bodies = new LinkedHashMap<>();
        bodies.put("", "JSON");
        bodies.put("{", "JSON");
        bodies.put("[]", "object");
        bodies.put("1", "object");
        bodies.put("{\"topic\":\"room:1\",\"topic\":\"room:2\"}", "topic");
        bodies.put("{\"reason\":7,\"sender\":7,\"topic\":7}", "'");
        bodies.put("{\"x\":" + "[".repeat(65) + "]".repeat(65) + "}", "more than 64 levels of nesting");
        try (RawHttp http = open.backendSocket()) {
            for (Map.Entry<String, String> body : bodies.entrySet()) {
                Answer answer = http.say(post(path(route), "application/json", body.getKey()))
                        .answer();
                assertProblem(400, "bad_request", body.getValue(), answer);
            }
            assertAlive(http);
        }
    }

    @ParameterizedTest
    @MethodSource("postingRoutes")
    void refusesABodyThatIsTooLarge(Route route) throws IOException {
        try (RawHttp http = open.backendSocket()) {
            http.say(request("POST", path(route), "Content-Type: application/json", "Content-Length: 2000000"));
            assertProblem(413, "too_large", "bytes", http.answer());
            assertTrue(http.isEnded());
        }
        int most = route.template().equals("/v1/publish") ? 1024 * 1024 : 64 * 1024;
        try (RawHttp http = open.backendSocket()) {
            http.say(post(path(route), "application/json", " ".repeat(most + 1)));
            assertProblem(413, "too_large", "bytes", http.answer());
        }
    }

    // ---------------------------------------------------------------- keys

    @ParameterizedTest
    @MethodSource("lockedRoutes")
    void asksForAKeyWithItsScope(Route route) throws IOException {
        String method = route.method().name();
        String path = path(route);
        try (RawHttp http = locked.backendSocket()) {
            Answer none = http.say(request(method, path)).answer();
            assertProblem(401, "unauthorized", "Authorization: Bearer <key>", none);
            assertEquals("Bearer", none.header("www-authenticate"));
            Answer unknown = http.say(request(method, path, "Authorization: Bearer brg_x"))
                    .answer();
            assertProblem(401, "unauthorized", "isn't known", unknown);
            assertProblem(
                    401,
                    "unauthorized",
                    "Bearer <key>",
                    http.say(request(method, path, "Authorization: Basic YTpi")).answer());
            for (Map.Entry<Scope, String> key : KEYS.entrySet()) {
                if (key.getKey() != route.scope()) {
                    Answer refused = http.say(request(method, path, "Authorization: Bearer " + key.getValue()))
                            .answer();
                    String detail =
                            "API key '" + wire(key.getKey()) + "' lacks the scope '" + wire(route.scope()) + "'";
                    assertProblem(403, "forbidden", detail, refused);
                }
            }
            if (route.method().equals(HttpMethod.GET)) {
                assertEquals(401, http.say(request("HEAD", path)).head().status());
            }
        }
    }
}
