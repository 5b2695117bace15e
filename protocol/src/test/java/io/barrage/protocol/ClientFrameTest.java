package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What can't be carried out is answered under its id; only what isn't a frame at all is noise. */
class ClientFrameTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ping",
                "[]",
                "\"ping\"",
                "17",
                "{}",
                "{\"id\":1}",
                "{\"type\":\"ping\"",
                "{\"type\":\"ping\"}}",
                "{\"type\":\"ping\"} {}",
                "{\"type\":7}",
                "{\"type\":null,\"id\":1}",
                "{\"type\":\"ping\",\"type\":\"ping\"}",
                "{\"type\":\"ping\",\"x\":\"cut off",
                "{\"type\":\"ping\",\"x\":[1,2",
                "{\"type\":\"ping\",\"since\":{\"offset\":-1,",
                "{\"type\":\"ping\",\"since\":{\"offset\":-1}",
                "{\"type\":\"ping\",\"data\":\"\\x\"}",
                "{\"type\":\"ping\",\"data\":\"\\x\",\"id\":1}",
                "{\"type\":\"ping\",\"id\":1,\"topic\":\"\\x\"}",
                "\ufeff{\"type\":\"ping\"}"
            })
    void noiseIsThrown(String text) {
        ProtocolException noise = assertThrows(ProtocolException.class, () -> parse(text));
        assertEquals(ErrorCode.BAD_REQUEST, noise.code());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"type\":\"dance\",\"id\":5} | unknown type 'dance'",
                "{\"id\":5,\"type\":\"Ping\"} | unknown type 'Ping'",
                "{\"type\":\"subscribe\",\"id\":5} | 'subscribe' needs a field 'topic'",
                "{\"type\":\"unsubscribe\",\"id\":5} | 'unsubscribe' needs a field 'topic'",
                "{\"type\":\"publish\",\"id\":5,\"data\":1} | 'publish' needs a field 'topic'",
                "{\"type\":\"publish\",\"id\":5,\"topic\":\"a\"} | needs a field 'data'",
                "{\"type\":\"auth\",\"id\":5} | needs a field 'token'",
                "{\"type\":\"subscribe\",\"topic\":\"a b\",\"id\":5} | ' ' at 1",
                "{\"type\":\"subscribe\",\"topic\":\"$user:u8\",\"id\":5} | reserved",
                "{\"type\":\"subscribe\",\"topic\":7,\"id\":5} | field 'topic' must be a string, found a number",
                "{\"type\":\"publish\",\"topic\":\"a\",\"data\":1,\"sender\":\"u8\",\"id\":5} | leave 'sender' out",
                "{\"type\":\"publish\",\"topic\":\"a\",\"data\":1,\"priority\":\"x\",\"id\":5} | field 'priority'",
                "{\"type\":\"subscribe\",\"topic\":\"a\",\"since\":7,\"id\":5} | an object with epoch and offset",
                "{\"type\":\"subscribe\",\"topic\":\"a\",\"since\":{},\"id\":5} | needs an epoch",
                "{\"type\":\"subscribe\",\"topic\":\"a\",\"since\":{\"epoch\":\"k\"},\"id\":5} | needs an epoch",
                "{\"type\":\"subscribe\",\"topic\":\"a\",\"since\":{\"epoch\":\"K\",\"offset\":1},\"id\":5} | an epoch is",
                "{\"type\":\"history\",\"topic\":\"a\",\"limit\":1001,\"id\":5} | field 'limit' must be 1 to 1000",
                "{\"type\":\"history\",\"topic\":\"a\",\"last\":1001,\"id\":5} | 'last' must be 1 to 1000",
                "{\"type\":\"history\",\"topic\":\"a\",\"last\":5,\"limit\":5,\"id\":5} | one of them is enough",
                "{\"type\":\"history\",\"topic\":\"a\",\"last\":5,\"since\":{\"epoch\":\"k\",\"offset\":1},\"id\":5} | one of",
                "{\"since\":{\"offset\":-1,\"epoch\":\"k\"},\"type\":\"subscribe\",\"topic\":\"a\",\"id\":5} | 0 to 9007",
                "{\"since\":{\"offset\":9007199254740992,\"x\":[]},\"type\":\"ping\",\"id\":5} | 0 to 9007199254740991",
                "{\"since\":{\"offset\":-1,\"x\":{\"y\":[1]}},\"x\":2,\"type\":\"ping\",\"id\":5} | 0 to 9007199254740991"
            })
    void mistakesAreAnsweredUnderTheirId(String text, String says) {
        ClientFrame.Invalid invalid = assertInstanceOf(ClientFrame.Invalid.class, parse(text));
        assertEquals(5, invalid.id());
        assertTrue(invalid.error().getMessage().contains(says), invalid.error().getMessage());
    }

    @Test
    void readsQuestions() {
        assertEquals(
                new ClientFrame.Presence(5, TopicName.of("a")),
                parse("{\"type\":\"presence\",\"id\":5,\"topic\":\"a\"}"));
        assertEquals(
                new ClientFrame.History(6, TopicName.of("a"), new HistoryQuery(new Position("k", 3), false, 7)),
                parse(
                        "{\"type\":\"history\",\"id\":6,\"topic\":\"a\",\"since\":{\"epoch\":\"k\",\"offset\":3},\"limit\":7}"));
        assertEquals(
                new ClientFrame.History(0, TopicName.of("a"), new HistoryQuery(null, false, 50)),
                parse("{\"type\":\"history\",\"topic\":\"a\"}"));
        assertEquals(
                new ClientFrame.History(0, TopicName.of("a"), new HistoryQuery(new Position("k", 3), true, 50)),
                parse("{\"type\":\"history\",\"topic\":\"a\",\"before\":{\"epoch\":\"k\",\"offset\":3}}"));
        assertEquals(
                new ClientFrame.History(0, TopicName.of("a"), new HistoryQuery(null, true, 3)),
                parse("{\"type\":\"history\",\"topic\":\"a\",\"last\":3}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "9007199254740992", "1.5", "\"1\"", "null", "[]", "99999999999999999999999"})
    void idsAreWholeNumbersUpTo2To53Less1(String id) {
        ClientFrame.Invalid invalid =
                assertInstanceOf(ClientFrame.Invalid.class, parse("{\"type\":\"ping\",\"id\":" + id + "}"));
        assertEquals(0, invalid.id());
        assertTrue(
                invalid.error().getMessage().startsWith("field 'id' must be"),
                invalid.error().getMessage());
    }

    @Test
    void greatestIdIsTaken() {
        assertEquals(new ClientFrame.Ping(Position.MAX_OFFSET), parse("{\"type\":\"ping\",\"id\":9007199254740991}"));
    }

    @Test
    void idOfManyDigitsCostsLittle() {
        String text = "{\"type\":\"ping\",\"id\":" + "9".repeat(60_000) + "}";
        assertInstanceOf(ClientFrame.Invalid.class, parse(text));
    }

    @Test
    void fieldsComeInAnyOrderAndWithWhiteSpace() {
        assertEquals(
                new ClientFrame.Subscribe(2, TopicName.of("a"), new Position("k", 3), 20, null),
                parse("\n{ \"since\" : { \"offset\" : 3 , \"more\" : {} , \"epoch\" : \"k\" } ,\t\"topic\" : \"a\" ,"
                        + " \"unknown\" : [ { } ] , \"last\" : 20 , \"id\" : 2 , \"type\" : \"subscribe\" }\r\n"));
    }

    @Test
    void nothingButProtocolExceptionsComesOfRandomBytes() {
        long seed = System.nanoTime();
        System.out.println("ClientFrameTest seed " + seed);
        Random random = new Random(seed);
        byte[][] models = {
            bytes(
                    "{\"type\":\"subscribe\",\"id\":2,\"topic\":\"room:42\",\"since\":{\"epoch\":\"k3x9\",\"offset\":17}}"),
            bytes(
                    "{\"type\":\"publish\",\"topic\":\"a\",\"messageId\":\"m\",\"priority\":\"low\",\"data\":{\"a\":[1e5,true]}}"),
            bytes("{\"topics\":[\"a\",\"b\"],\"users\":[],\"data\":[null,\"\u5f39\\u0041\"],\"sender\":\"u7\"}"),
            bytes("{\"user\":\"u7\",\"data\":-1.5,\"x\":{\"y\":{\"z\":[]}}}"),
        };
        int understood = 0;
        for (int round = 0; round < 60_000; round++) {
            byte[] text = round % 4 == 0 ? noise(random) : damaged(random, models[random.nextInt(models.length)]);
            understood += survives(() -> ClientFrame.parse(text), text) ? 1 : 0;
            understood += survives(() -> PublishRequest.parse(text), text) ? 1 : 0;
        }
        assertTrue(understood > 1000, "the damage leaves some alone, or this tests little: " + understood);
    }

    private static boolean survives(Runnable parse, byte[] text) {
        try {
            parse.run();
            return true;
        } catch (ProtocolException e) {
            return false;
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError("came of " + java.util.HexFormat.of().formatHex(text), e);
        }
    }

    private static byte[] noise(Random random) {
        byte[] text = new byte[random.nextInt(60)];
        random.nextBytes(text);
        if (text.length > 0 && random.nextBoolean()) {
            text[0] = '{';
        }
        return text;
    }

    private static byte[] damaged(Random random, byte[] model) {
        byte[] text = model.clone();
        String alphabet = "{}[]\",:\\u0e-.1tfn \u0000\u0080\u00ff";
        for (int i = random.nextInt(4); i > 0; i--) {
            int at = random.nextInt(text.length);
            switch (random.nextInt(4)) {
                case 0 -> text[at] = (byte) alphabet.charAt(random.nextInt(alphabet.length()));
                case 1 -> text = java.util.Arrays.copyOf(text, Math.max(1, at));
                case 2 -> {
                    // A piece twice.
                    byte[] longer = java.util.Arrays.copyOf(text, text.length + 5);
                    System.arraycopy(text, 0, longer, text.length, Math.min(5, text.length));
                    text = longer;
                }
                default -> text[at] ^= (byte) (1 << random.nextInt(8));
            }
        }
        return text;
    }

    private static ClientFrame parse(String text) {
        return ClientFrame.parse(bytes(text));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
