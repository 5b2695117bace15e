package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The protocol page of the docs says what the codec does: its examples are the test's vectors. */
class ProtocolPageTest {
    private static final TopicName ROOM = TopicName.of("room:42");
    private static final long TIME = 1790000000123L;

    private final String page = read(Path.of("..", "docs", "protocol.md"));

    /** The frames of the page's {@code json gateway} blocks, in its order. */
    private static final List<String> WRITTEN = Stream.of(
                    json(new ServerFrame.Welcome("1f3k9z-2", "u7", 25_000, 0)),
                    json(new ServerFrame.Welcome("1f3k9z-3", null, 25_000, 0)),
                    json(new ServerFrame.Welcome("1f3k9z-4", "u7", 25_000, 1_790_003_600)),
                    json(new ServerFrame.Subscribed(2, ROOM, "k3x9", 19, null, 1234)),
                    json(new ServerFrame.Subscribed(0, ROOM, "k3x9", 0, null, 0)),
                    json(new ServerFrame.Subscribed(2, ROOM, "k3x9", 19, true, 1234)),
                    json(new ServerFrame.Subscribed(2, ROOM, "k3x9", 19, false, 1234)),
                    json(new Message.Draft(ROOM, bytes("\"hello\""), Priority.NORMAL, null, TIME, 0).at(20)),
                    json(new Message.Draft(ROOM, bytes("{ \"gift\": 1e400 }"), Priority.HIGH, "u7", TIME, 0).at(21)),
                    json(new Message.Draft(ROOM, bytes("\"hello\""), Priority.NORMAL, "u9", TIME, 0).at(22, 37)),
                    json(new ServerFrame.Hidden(ROOM, 12)),
                    json(new Message.Draft(ROOM, bytes("\"mine\""), Priority.NORMAL, "u7", TIME, 0).withoutPlace()),
                    json(new TopicValue(ROOM, "likes", bytes("91234"))),
                    json(new TopicValue(ROOM, "top", bytes("[{\"id\":\"u7\",\"score\":120,\"name\":\"Ada\"}]"))),
                    json(new TopicValue(ROOM, "poll", bytes("null"))),
                    json(List.of(
                            new Message.Draft(ROOM, bytes("\"hello\""), Priority.NORMAL, null, TIME, 0).at(18),
                            new Message.Draft(ROOM, bytes("{}"), Priority.NORMAL, "u7", TIME, 0).at(19, 2))),
                    json(new ServerFrame.Gap(ROOM, 22, 60, "behind")),
                    json(new ServerFrame.Retract(ROOM, List.of(18L, 19L))),
                    json(new ServerFrame.Online(ROOM, 1235, false)),
                    json(new ServerFrame.Online(ROOM, 0, false)),
                    json(new ServerFrame.Online(ROOM, 20418, true)),
                    json(new ServerFrame.Join(ROOM, "u7")),
                    json(new ServerFrame.Leave(ROOM, "u7")),
                    json(new ServerFrame.Unsubscribed(0, ROOM, "by_backend", "slow down")),
                    json(new ServerFrame.Unsubscribed(3, ROOM, null, null)),
                    json(new ServerFrame.Published(4, ROOM, "k3x9", 61, false)),
                    json(new ServerFrame.Published(4, ROOM, "k3x9", 61, true)),
                    json(new ServerFrame.PublishShed(4, ROOM, "budget", false)),
                    json(new ServerFrame.PublishHeld(4, ROOM)),
                    json(new ServerFrame.PublishedValue(4, ROOM, "likes", false)),
                    json(new ServerFrame.PublishedValue(4, ROOM, "likes", true)),
                    json(new ServerFrame.Pong(7, Map.of())),
                    json(new ServerFrame.Pong(0, Map.of())),
                    json(new ServerFrame.Pong(7, Map.of(ROOM, 1234))),
                    json(new ServerFrame.Presence(
                            5,
                            ROOM,
                            3,
                            2,
                            List.of(
                                    new ServerFrame.Member("u7", 2, "{\"name\":\"Ada\"}"),
                                    new ServerFrame.Member("u9", 0, null)),
                            false)),
                    json(new ServerFrame.Presence(
                            5, ROOM, 20418, 18003, List.of(new ServerFrame.Member("u7", 2, null)), true)),
                    json(new ServerFrame.Presence(5, ROOM, 1234, 0, null, false)),
                    json(new ServerFrame.Attention(8, ROOM, AttentionLevel.COUNTS)),
                    json(new ServerFrame.History(
                            6,
                            ROOM,
                            "k3x9",
                            true,
                            List.of(
                                    new Message.Draft(ROOM, bytes("\"hello\""), Priority.NORMAL, null, TIME, 0).at(18),
                                    new Message.Draft(ROOM, bytes("{}"), Priority.NORMAL, "u7", TIME, 0).at(19)),
                            true)),
                    json(new ServerFrame.History(6, ROOM, "k3x9", null, List.of(), false)),
                    json(new ServerFrame.Failure(
                            2, "room:42", ErrorCode.NOT_PERMITTED, "this connection may not subscribe to this topic")),
                    json(new ServerFrame.Failure(0, null, ErrorCode.BAD_REQUEST, "a frame needs a field 'type'")),
                    json(new ServerFrame.Failure(
                            4,
                            "room:42",
                            ErrorCode.RATE_LIMITED,
                            "a sender may publish 1/s on this topic (slow mode): try again in 734 ms")),
                    json(new ServerFrame.Goaway("draining", 3120)),
                    json(new ServerFrame.Authenticated(1, "u7", 1_790_007_200)),
                    json(new ServerFrame.Failure(
                            0,
                            null,
                            ErrorCode.TOKEN_EXPIRED,
                            "the token has expired: send 'auth' with a new one within 30 s")),
                    json(new ServerFrame.Unsubscribed(
                            0, ROOM, "not_permitted", "the new token doesn't allow this topic")),
                    json(new ServerFrame.Failure(
                            0,
                            "room:42",
                            ErrorCode.TOKEN_EXPIRED,
                            "the topic's token has expired: send 'subscribe' with a new one within 30 s")),
                    json(new ServerFrame.Unsubscribed(0, ROOM, "token_expired", "the topic's token has expired")))
            .toList();

    @Test
    void showsWhatTheGatewayWrites() {
        assertEquals(String.join("\n", WRITTEN), String.join("\n", lines("json gateway")));
    }

    @Test
    void showsEveryKindOfServerFrame() {
        for (Class<?> kind : ServerFrame.class.getPermittedSubclasses()) {
            String type = Map.of(
                            "Failure",
                            "error",
                            "Hidden",
                            "gap",
                            "PublishShed",
                            "published",
                            "PublishHeld",
                            "published",
                            "PublishedValue",
                            "published")
                    .getOrDefault(kind.getSimpleName(), kind.getSimpleName().toLowerCase(Locale.ROOT));
            String start = "{\"type\":\"" + type + "\"";
            assertTrue(WRITTEN.stream().anyMatch(line -> line.startsWith(start)), () -> "the page has no " + start);
        }
    }

    @TestFactory
    Stream<DynamicTest> showsFramesThatAreUnderstood() {
        List<String> lines = lines("json client");
        assertEquals(16, lines.size(), "examples of client frames");
        return lines.stream()
                .map(line -> DynamicTest.dynamicTest(line, () -> {
                    ClientFrame frame = ClientFrame.parse(bytes(line));
                    String type = frame.getClass().getSimpleName().toLowerCase(Locale.ROOT);
                    assertEquals("{\"type\":\"" + type + "\"", line.substring(0, type.length() + 10));
                    assertEquals(idOf(line), frame.id());
                }));
    }

    private static long idOf(String line) {
        Matcher id = Pattern.compile("\"id\":(\\d+)").matcher(line);
        return id.find() ? Long.parseLong(id.group(1)) : 0;
    }

    @Test
    void readsEveryFieldOfItsExamples() {
        List<String> lines = lines("json client");
        assertEquals(new ClientFrame.Subscribe(2, ROOM, null, 0, null), ClientFrame.parse(bytes(lines.get(0))));
        assertEquals(
                new ClientFrame.Subscribe(2, ROOM, new Position("k3x9", 17), 20, null),
                ClientFrame.parse(bytes(lines.get(1))));
        assertEquals(
                new ClientFrame.Subscribe(9, ROOM, null, 0, "..."),
                ClientFrame.parse(bytes(lines.get(lines.size() - 1))));
        assertEquals(new ClientFrame.Unsubscribe(3, ROOM), ClientFrame.parse(bytes(lines.get(2))));
        ClientFrame.Publish publish =
                assertInstanceOf(ClientFrame.Publish.class, ClientFrame.parse(bytes(lines.get(3))));
        assertEquals(ROOM, publish.topic());
        assertEquals("8d1f", publish.request().messageId());
        assertEquals(Priority.LOW, publish.request().priority());
        assertEquals("{\"text\":\"hello\"}", new String(publish.request().data(), UTF_8));
        ClientFrame.Publish plain = assertInstanceOf(ClientFrame.Publish.class, ClientFrame.parse(bytes(lines.get(4))));
        assertEquals("\"any JSON value\"", new String(plain.request().data(), UTF_8));
        assertEquals(Priority.NORMAL, plain.request().priority());
        assertNull(plain.request().messageId());
        assertEquals(new ClientFrame.Auth(1, "..."), ClientFrame.parse(bytes(lines.get(7))));
        assertEquals(new ClientFrame.Attention(8, ROOM, AttentionLevel.COUNTS), ClientFrame.parse(bytes(lines.get(8))));
        ClientFrame.Publish like = assertInstanceOf(ClientFrame.Publish.class, ClientFrame.parse(bytes(lines.get(9))));
        ValueChange change = like.request().value();
        assertNotNull(change);
        assertEquals("likes", change.key());
        assertEquals(Merge.SUM, change.merge());
        assertEquals("1", change.number().toString());
    }

    @Test
    void listsEveryCloseCode() {
        String table = Arrays.stream(CloseCode.values())
                .map(code -> "| " + code.code() + " | `" + code.wire() + "` |")
                .reduce("", (all, row) -> all + row + "\n");
        assertEquals(table, rows("Close codes", "\\| \\d+ \\| `\\w+` \\|"));
    }

    @Test
    void listsEveryErrorCode() {
        String table = Arrays.stream(ErrorCode.values())
                .map(code -> "| `" + code.wire() + "` | " + code.status() + " |")
                .reduce("", (all, row) -> all + row + "\n");
        assertEquals(table, rows("Error codes", "\\| `\\w+` \\| \\d+ \\|"));
    }

    @Test
    void writesPositionsAsTheyAreRead() {
        Matcher position = Pattern.compile("`(room:42@k3x9:17)`").matcher(page);
        assertTrue(position.find(), "an example of a position");
        assertEquals(new Position.OfTopic(ROOM, new Position("k3x9", 17)), Position.OfTopic.parse(position.group(1)));
    }

    /** The first cells of a chapter's table, a row a line. */
    private String rows(String chapter, String cells) {
        String text = page.substring(page.indexOf("## " + chapter));
        Matcher row = Pattern.compile("(?m)^" + cells).matcher(text);
        StringBuilder rows = new StringBuilder();
        while (row.find()) {
            rows.append(row.group()).append('\n');
        }
        return rows.toString();
    }

    private List<String> lines(String kind) {
        Matcher block =
                Pattern.compile("```" + kind + "\n(.*?)```", Pattern.DOTALL).matcher(page);
        List<String> lines =
                block.results().flatMap(found -> found.group(1).lines()).toList();
        assertFalse(lines.isEmpty(), "no block of " + kind);
        return lines;
    }

    private static String json(ServerFrame frame) {
        return new String(frame.json(), UTF_8);
    }

    private static String json(List<Message> messages) {
        byte[] json = new byte[MessagesFrame.length(ROOM, messages)];
        assertEquals(json.length, MessagesFrame.put(json, 0, ROOM, messages));
        return new String(json, UTF_8);
    }

    private static String json(TopicValue value) {
        return new String(value.json(), UTF_8);
    }

    private static String json(Message message) {
        byte[] json = new byte[message.jsonLength()];
        assertEquals(json.length, message.putJson(json, 0));
        return new String(json, UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
