package io.barrage.gateway.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.barrage.gateway.backend.Routes.Match;
import io.barrage.gateway.http.BodyReader;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoutesTest {
    private static Route route(HttpMethod method, String template) {
        return new Route(method, template, null, call -> BodyReader.none(() -> {}));
    }

    private static Routes routes(Route... routes) {
        return new Routes(List.<Resource>of(() -> List.of(routes)));
    }

    private final Routes routes = routes(
            route(HttpMethod.GET, "/v1/topics"),
            route(HttpMethod.GET, "/v1/topics/{topic}"),
            route(HttpMethod.GET, "/v1/topics/{topic}/history"),
            route(HttpMethod.DELETE, "/v1/topics/{topic}/history"),
            route(HttpMethod.GET, "/v1/topics/all"),
            route(HttpMethod.POST, "/v1/users/{user}/topics/{topic}"));

    private Match find(String path) {
        Match match = routes.find(path);
        assertNotNull(match, path);
        return match;
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/topics/room:42, room:42",
        "/v1/topics/room%3A42, room:42",
        "/v1/topics/a~b=c.d_e-f, a~b=c.d_e-f",
        "/v1/topics/a+b, a+b",
        "/v1/topics/a%2Bb, a+b",
        "/v1/topics/a%2Fhistory, a/history",
        "/v1/topics/$user:u7, $user:u7",
        "/%76%31/topics/%24user%3Au7, $user:u7",
        "/v1/topics/%C3%A9, é",
        "/v1/topics/%ff, \ufffd",
        "/v1/topics/.., .."
    })
    void aSegmentIsDecodedByItself(String path, String topic) {
        Match match = find(path);
        assertEquals(Map.of("topic", topic), match.parameters());
        assertEquals(Set.of(HttpMethod.GET), match.methods().keySet());
    }

    @Test
    void allMethodsOfAPathAreFound() {
        assertEquals(
                Set.of(HttpMethod.GET, HttpMethod.DELETE),
                find("/v1/topics/a/history").methods().keySet());
        assertEquals(
                Map.of("user", "u7", "topic", "a"),
                find("/v1/users/u7/topics/a").parameters());
    }

    @Test
    void whatIsSpelledOutComesFirst() {
        assertEquals(Map.of(), find("/v1/topics/all").parameters());
        assertEquals(Map.of(), find("/v1/topics/%61ll").parameters());
        assertEquals(
                "/v1/topics/all",
                find("/v1/topics/%61ll").methods().get(HttpMethod.GET).template());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "*",
                "/v1",
                "/v1/",
                "/v1/topics/",
                "/v1//history",
                "/v1/topics//history",
                "/v1/topics/a/",
                "//v1/topics",
                "/V1/topics",
                "/v1/topics/a/history/",
                "/v1/topics/a/b/history",
                "/v1%2Ftopics",
                "v1/topics"
            })
    void nothingElseIsFound(String path) {
        assertNull(routes.find(path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/topics/%", "/v1/topics/%4", "/v1/topics/%zz", "/v1/topics/a%/history"})
    void whatIsNotWellFormedIsRefused(String path) {
        assertThrows(IllegalArgumentException.class, () -> routes.find(path));
    }

    @Test
    void twoRoutesForTheSameAreRefused() {
        Route one = route(HttpMethod.GET, "/a/{b}");
        assertThrows(IllegalArgumentException.class, () -> routes(one, one));
    }
}
