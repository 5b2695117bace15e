package io.barrage.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.Merge;
import io.barrage.protocol.Priority;
import io.barrage.protocol.PublishRequest;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A publish is written as the gateway reads it, and refused where the gateway would refuse it. */
class PublishTest {
    private static String json(Publish publish) {
        return new String(publish.json("id"), UTF_8);
    }

    @Test
    void isReadByTheGatewayAsItWasMeant() {
        String data = "{ \"text\":\"弹幕 \\u0000\\n\",\"n\":1e400 }";
        PublishRequest read = PublishRequest.parse(Publish.toTopic("room:42", "  " + data + "\n")
                .messageId("a\"b")
                .priority(Priority.HIGH)
                .sender("u7")
                .ttl(Duration.ofSeconds(5))
                .json("a\"b"));
        assertEquals("room:42", read.targets().get(0).name());
        assertEquals(data, new String(read.data(), UTF_8));
        assertEquals("a\"b", read.messageId());
        assertEquals(Priority.HIGH, read.priority());
        assertEquals("u7", read.sender());
        assertEquals(5000, read.ttlMillis());
        assertTrue(read.single());
    }

    @Test
    void namesItsTargets() {
        assertEquals(
                "{\"topics\":[\"a\",\"b\"],\"messageId\":\"id\",\"data\":1}",
                json(Publish.toTopics(List.of("a", "b"), "1")));
        assertEquals("{\"user\":\"u7\",\"messageId\":\"id\",\"data\":1}", json(Publish.toUser("u7", "1")));
        assertEquals(
                "{\"users\":[\"u7\"],\"messageId\":\"id\",\"data\":1}",
                json(Publish.toUsers(List.of("u7"), new byte[] {'1'})));
        assertEquals(
                "{\"topic\":\"a\",\"messageId\":\"id\",\"key\":\"likes\",\"merge\":\"sum\",\"data\":1}",
                json(Publish.toTopic("a", "1").mergedInto("likes", Merge.SUM)));
    }

    @Test
    void keepsTheFirstWhenAnOptionIsAdded() {
        Publish plain = Publish.toTopic("a", "1");
        plain.priority(Priority.LOW);
        assertFalse(json(plain).contains("priority"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "1 2",
                "1,\"sender\":\"admin\"",
                "1}",
                "1}\n{\"topic\":\"b\",\"data\":2",
                "{\"a\":1",
                "{\"a\":1}}",
                "'a'",
                "NaN",
                "\"line\nend\"",
                "1//",
                "nul"
            })
    void takesOneJsonValueAsData(String data) {
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("a", data));
    }

    @Test
    void takesStrictUtf8AsData() {
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("a", new byte[] {'"', (byte) 0xc3, '"'}));
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("a", "[".repeat(64) + "]".repeat(64)));
        Publish.toTopic("a", "[".repeat(63) + "]".repeat(63));
    }

    @Test
    void refusesWhatTheGatewayWould() {
        Publish good = Publish.toTopic("a", "1");
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("a b", "1"));
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("$user:u7", "1"));
        assertThrows(IllegalArgumentException.class, () -> Publish.toUser("a b", "1"));
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopics(List.of(), "1"));
        List<String> tooMany = IntStream.range(0, 1001).mapToObj(i -> "u" + i).toList();
        assertThrows(IllegalArgumentException.class, () -> Publish.toUsers(tooMany, "1"));
        assertThrows(IllegalArgumentException.class, () -> good.messageId(""));
        assertThrows(IllegalArgumentException.class, () -> good.messageId("x".repeat(129)));
        assertThrows(IllegalArgumentException.class, () -> good.messageId("\ud83d"));
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("a", "\"\ud83d\""));
        Publish.toTopic("a", "\"\ud83d\ude80\"").messageId("\ud83d\ude80");
        assertThrows(IllegalArgumentException.class, () -> good.sender("a b"));
        assertThrows(IllegalArgumentException.class, () -> good.ttl(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> good.ttl(Duration.ofDays(2)));
        assertThrows(IllegalArgumentException.class, () -> good.mergedInto("a b", Merge.SUM));
        assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("a", "\"x\"")
                .mergedInto("likes", Merge.SUM));
        assertThrows(IllegalArgumentException.class, () -> good.priority(Priority.HIGH)
                .mergedInto("likes", Merge.SUM));
        assertThrows(IllegalArgumentException.class, () -> good.mergedInto("likes", Merge.SUM)
                .ttl(Duration.ofSeconds(1)));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Publish.toTopic("room:42", "{\"a\"}"))
                .getMessage()
                .startsWith("data is one JSON value"));
    }

    @Test
    void hasPartsThatFitALine() {
        // Each of these takes two bytes in JSON, or more in UTF-8.
        List<String> users =
                IntStream.range(0, 1000).mapToObj(i -> "\\\"".repeat(60) + i).toList();
        String id = "\ud83d\ude80".repeat(128);
        String data = "\"" + "x".repeat(60_000) + "\"";
        Publish wide = Publish.toUsers(users, data).sender("s".repeat(128)).ttl(Duration.ofDays(1));
        List<Publish> parts = wide.parts(id, 4096);
        for (Publish part : parts) {
            assertTrue(part.json(id).length <= data.length() + 4096, () -> "" + part);
        }
        assertEquals(
                wide.topics(),
                parts.stream().flatMap(part -> part.topics().stream()).toList());
        assertEquals(List.of(wide), wide.parts(id, 1 << 20));
    }

    @Test
    void hidesWhatItSays() {
        assertEquals(
                "Publish[topic=a, 8 bytes]", Publish.toTopic("a", "\"secret\"").toString());
    }
}
