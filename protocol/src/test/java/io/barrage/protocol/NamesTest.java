package io.barrage.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules for topics', users' names and positions, at their borders. */
class NamesTest {
    private static final String TOPIC_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final String TOPIC_SIGNS = "._~=:-";

    // ---------------------------------------------------------------- topics

    @Test
    void topicsHaveExactlyTheirCharacters() {
        for (int c = 0; c <= 0x10ffff; c = c < 0x3000 ? c + 1 : c + 0x777) {
            String one = Character.toString(c);
            boolean letter = c < 128 && TOPIC_LETTERS.indexOf(c) >= 0;
            boolean sign = c < 128 && TOPIC_SIGNS.indexOf(c) >= 0;
            assertEquals(letter, isTopic(one), () -> "alone: " + Printable.of(one));
            assertEquals(letter || sign, isTopic("a" + one), () -> "second: " + Printable.of(one));
            assertEquals(letter || sign, isTopic("a" + one + "b"), () -> "between: " + Printable.of(one));
        }
    }

    @Test
    void topicsHaveOneTo200Characters() {
        assertTrue(isTopic("a".repeat(200)));
        assertEquals("a".repeat(200), TopicName.of("a".repeat(200)).toString());
        assertRefused(() -> TopicName.of("a".repeat(201)), "at most 200 characters, this one has 201");
        assertRefused(() -> TopicName.of(""), "empty");
    }

    @ParameterizedTest
    @ValueSource(strings = {"$user:u7", "$", "$user", "$USER:u7"})
    void topicsOfTheGatewayCantBeNamed(String name) {
        assertRefused(() -> TopicName.of(name), "reserved");
    }

    @ParameterizedTest
    @CsvSource({"room:42, room", "room, default", "room:, room", "a:b:c, a", "default:x, default", "x.y~z=1:2, x.y~z=1"
    })
    void namespaceIsWhatStandsBeforeTheFirstColon(String name, String namespace) {
        assertEquals(namespace, TopicName.of(name).namespace());
    }

    @Test
    void topicsShareTheirNamespacesText() {
        TopicName first = TopicName.of("room:" + 1);
        assertSame(first.namespace(), TopicName.of("room:" + 2).namespace());
        // Those have their first letters, last letters and lengths in common.
        for (String namespace : new String[] {"rxxm", "room", "ryym", "rxxm"}) {
            assertEquals(namespace, TopicName.of(namespace + ":1").namespace());
        }
    }

    @Test
    void errorsNameTheCharacterAndItsPlace() {
        assertRefused(() -> TopicName.of("room 42"), "' ' at 4: 'room 42'");
        assertRefused(() -> TopicName.of("raum\u00e4"), "'\\u00e4' at 4");
        assertRefused(() -> TopicName.of("a\u001b[31m"), "'\\u001b' at 1: 'a\\u001b[31m'");
        assertRefused(() -> TopicName.of(":room"), "starts with a letter or a digit");
        String message = assertThrows(ProtocolException.class, () -> TopicName.of("/" + "x".repeat(198)))
                .getMessage();
        assertTrue(message.length() < 200, message);
    }

    @Test
    void topicOfAUserIsThatUsers() {
        TopicName topic = TopicName.ofUser("u7");
        assertEquals("$user:u7", topic.toString());
        assertEquals("$user", topic.namespace());
        assertEquals(TopicName.ofUser("u7"), topic);
        assertRefused(() -> TopicName.ofUser("a/b"), "'/' at 1");
    }

    @Test
    void topicsAreEqualByName() {
        assertEquals(TopicName.of("room:42"), TopicName.of("room:42"));
        assertEquals(TopicName.of("room:42").hashCode(), TopicName.of("room:42").hashCode());
        assertTrue(!TopicName.of("room:42").equals(TopicName.of("room:43")));
    }

    private static boolean isTopic(String name) {
        try {
            TopicName.of(name);
            return true;
        } catch (ProtocolException e) {
            assertEquals(ErrorCode.BAD_REQUEST, e.code());
            return false;
        }
    }

    // ---------------------------------------------------------------- users

    @Test
    void usersArePrintableAsciiButAFew() {
        IntStream.rangeClosed(0, 0x300).forEach(c -> {
            boolean allowed = c > ' ' && c <= '~' && "/?#%@,*".indexOf(c) < 0;
            assertEquals(allowed, isUser(Character.toString(c)), () -> "character " + c);
            assertEquals(allowed, isUser("u" + Character.toString(c)), () -> "character " + c);
        });
        assertTrue(!isUser("u\ud83d\ude80"));
    }

    @Test
    void usersHaveOneTo128Characters() {
        assertEquals("u".repeat(128), UserName.check("u".repeat(128)));
        assertRefused(() -> UserName.check("u".repeat(129)), "1 to 128 characters, this one has 129");
        assertRefused(() -> UserName.check(""), "1 to 128 characters, this one has 0");
    }

    private static boolean isUser(String name) {
        try {
            UserName.check(name);
            return true;
        } catch (ProtocolException e) {
            return false;
        }
    }

    // ---------------------------------------------------------------- positions

    @Test
    void offsetsGoFromZeroTo2To53Less1() {
        assertEquals(0, new Position("k", 0).offset());
        assertEquals(9007199254740991L, new Position("k", 9007199254740991L).offset());
        assertRefused(() -> new Position("k", 9007199254740992L), "2^53-1");
        assertRefused(() -> new Position("k", -1), "0 to 2^53-1: -1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "K", "k-", "k\n", "\u0661", "123456789012345678901234567890123"})
    void epochsAreOneTo32OfTheirCharacters(String epoch) {
        assertRefused(() -> new Position(epoch, 1), "an epoch is 1 to 32 of a-z 0-9");
    }

    @Test
    void longestEpochIsOne() {
        assertEquals(32, new Position("z".repeat(32), 1).epoch().length());
    }

    @Test
    void positionsAreSplitAtTheLastAt() {
        Position.OfTopic parsed = Position.OfTopic.parse("a:b@k3x9:9007199254740991");
        assertEquals(TopicName.of("a:b"), parsed.topic());
        assertEquals(new Position("k3x9", 9007199254740991L), parsed.position());
        assertEquals(0, Position.OfTopic.parse("room@k:0").position().offset());
    }

    static Stream<String> noPositions() {
        return Stream.of(
                "",
                "room",
                "room@",
                "@k:1",
                "room@k",
                "room@k:",
                "room@:1",
                "room:1",
                "room@k:-1",
                "room@k:+1",
                "room@k:1.0",
                "room@k: 1",
                "room@k:1 ",
                "room@k:0x1",
                "room@k:\u0661",
                "room@k:9007199254740992",
                "room@k:99999999999999999999",
                "room@K:1",
                "a@b@k:1",
                "$users:u7@k:1",
                "room@k:1:2");
    }

    @ParameterizedTest
    @MethodSource("noPositions")
    void refusesWhatIsNoPosition(String text) {
        ProtocolException refused = assertThrows(ProtocolException.class, () -> Position.OfTopic.parse(text));
        assertEquals(ErrorCode.BAD_REQUEST, refused.code());
    }

    private static void assertRefused(org.junit.jupiter.api.function.Executable action, String says) {
        ProtocolException refused = assertThrows(ProtocolException.class, action);
        assertEquals(ErrorCode.BAD_REQUEST, refused.code());
        assertTrue(refused.getMessage().contains(says), refused.getMessage());
    }
}
