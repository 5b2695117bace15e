package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code GET /v1/topics}, {@code /v1/topics/{topic}}, {@code /v1/nodes}: operators see what a gateway carries. */
class TopicsIT {
    private static final JsonMapper JSON = new JsonMapper();

    private GatewayUnderTest gateway;

    @BeforeEach
    void start() {
        gateway = GatewayUnderTest.start("""
                namespaces:
                  - {name: kept, history: {size: 2, ttl: 1h}}
                """);
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    private JsonNode ask(int status, String path) throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.get(path);
        assertEquals(status, answer.statusCode(), answer.body());
        return JSON.readTree(answer.body());
    }

    private static List<String> names(JsonNode page) {
        List<String> names = new ArrayList<>();
        page.get("topics").forEach(topic -> names.add(topic.get("topic").asString()));
        return names;
    }

    @Test
    void aTopicShowsItsPositionAndWhoIsThere() throws Exception {
        gateway.publish("kept:a~b=c.d_e-f", "1");
        gateway.publish("kept:a~b=c.d_e-f", "2");
        gateway.publish("kept:a~b=c.d_e-f", "3");
        try (RawWebSocket one = gateway.subscriber("kept:a~b=c.d_e-f");
                RawWebSocket two = gateway.webSocket("?topic=silent&user=u7")) {
            two.expect("subscribed");
            two.expect("subscribed");
            JsonNode topic = ask(200, "/v1/topics/kept:a~b=c.d_e-f");
            assertEquals("kept:a~b=c.d_e-f", topic.get("topic").asString());
            assertTrue(topic.get("epoch").asString().matches("[a-z0-9]{1,32}"));
            assertEquals(3, topic.get("offset").asInt());
            assertEquals(1, topic.get("online").asInt());
            assertEquals(2, topic.get("history").asInt());
            assertEquals(topic, ask(200, "/v1/topics/kept%3Aa%7eb=c.d_e-f"));

            JsonNode silent = ask(200, "/v1/topics/silent");
            assertEquals(0, silent.get("offset").asInt());
            assertEquals(1, silent.get("online").asInt());
            assertEquals(0, silent.get("history").asInt());
            assertEquals(1, ask(200, "/v1/topics/$user:u7").get("online").asInt());

            assertEquals(List.of("$user:u7", "kept:a~b=c.d_e-f", "silent"), names(ask(200, "/v1/topics")));
            assertEquals(
                    topic, ask(200, "/v1/topics?prefix=kept:").get("topics").get(0));
            JsonNode node = ask(200, "/v1/node");
            assertEquals(3, node.get("topics").asInt());
            assertEquals("[" + node + "]", ask(200, "/v1/nodes").get("nodes").toString());
            one.http().socket().close();
            GatewayUnderTest.await(
                    "it has left",
                    () -> ask(200, "/v1/topics/kept:a~b=c.d_e-f").get("online").asInt() == 0);
        }
    }

    @Test
    void pagesFollowTheirCursors() throws Exception {
        for (int i = 0; i < 25; i++) {
            gateway.publish("page:" + (char) ('a' + i), "1");
        }
        gateway.publish("pagf", "1");
        List<String> seen = new ArrayList<>();
        JsonNode page = ask(200, "/v1/topics?prefix=page:&limit=10");
        while (page.has("cursor")) {
            assertEquals(10, page.get("topics").size());
            seen.addAll(names(page));
            // One that comes before isn't seen, one that comes behind is.
            gateway.publish("page:" + seen.size(), "1");
            page = ask(
                    200,
                    "/v1/topics?prefix=page:&limit=10&cursor="
                            + page.get("cursor").asString());
        }
        seen.addAll(names(page));
        assertEquals(5, page.get("topics").size());
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            expected.add("page:" + (char) ('a' + i));
        }
        assertEquals(expected, seen);
        JsonNode whole = ask(200, "/v1/topics?prefix=page:&limit=27");
        assertEquals(27, whole.get("topics").size());
        assertFalse(whole.has("cursor"));
    }

    @Test
    void readingATopicDoesntMakeOne() throws Exception {
        JsonNode problem = ask(404, "/v1/topics/room:1");
        assertEquals("not_found", problem.get("code").asString());
        assertEquals(
                "there is no topic 'room:1' now: nobody is on it, and nothing was published to it lately",
                problem.get("detail").asString());
        assertEquals("{\"topics\":[]}", ask(200, "/v1/topics").toString());
        assertEquals(0, ask(200, "/v1/node").get("topics").asInt());
    }

    private void refused(String path, String detail) throws IOException, InterruptedException {
        JsonNode problem = ask(400, path);
        assertEquals("bad_request", problem.get("code").asString());
        assertTrue(problem.get("detail").asString().startsWith(detail), problem.toString());
    }

    @Test
    void aMistakeIsNamed() throws Exception {
        refused("/v1/topics?limit=0", "query parameter 'limit': it is a number from 1 to 1000, not '0'");
        refused("/v1/topics?after=a", "there is no query parameter 'after' here, but prefix, limit, cursor");
        refused("/v1/topics?prefix=%20", "query parameter 'prefix': no topic's name begins with ' '");
        refused("/v1/topics?prefix=a&prefix=b", "query parameter 'prefix' stands more than once");
        refused("/v1/topics?cursor=a", "query parameter 'cursor': it is none that this node has given");
        refused("/v1/topics?cursor=dG9waWNzIGEgYg", "query parameter 'cursor': it is none that this node has given");
        refused("/v1/topics/room:1?x=1", "there is no query parameter 'x' here");
        refused("/v1/topics/a%2Fb", "a topic name consists of A-Z a-z 0-9 . _ ~ = : - but this one has '/'");
        refused("/v1/topics/%ff", "a topic name starts with a letter or a digit: '\\ufffd'");
        refused("/v1/topics/%24user:", "a user's name has 1 to 128 characters");
        refused("/v1/topics/$room", "topic names that start with '$' are reserved");
        refused("/v1/topics/" + "a".repeat(201), "a topic name has at most 200 characters, this one has 201");
    }
}
