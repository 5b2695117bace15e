package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.PublishRequest.Target;
import java.nio.charset.Charset;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A publish keeps its data as it was sent, and is refused for what is wrong with the rest. */
class PublishRequestTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-0",
                "-0.0",
                "1e400",
                "1E+0001",
                "0.1000000000000000055511151231257827021181583404541015625",
                "123456789012345678901234567890123456789012345678901234567890",
                "true",
                "false",
                "null",
                "\"\"",
                "\"plain\"",
                "\"\\u0041\\/\\\"\\\\\\b\\f\\n\\r\\t\"",
                "\"\\ud83d\\ude80\"",
                "\"\\ud800\"",
                "\"\\u0000\"",
                "\"\u5f39\u5e55\"",
                "\"\ud83d\ude80\ud83d\udc69\u200d\ud83d\ude80\"",
                "\"\u2028\u2029\ufeff\u007f\"",
                "[]",
                "{}",
                "[ 1 ,\t2 ,\r\n3 ]",
                "{ \"b\" : 1 , \"a\" : 2 }",
                "{\"a\":1,\"a\":2}",
                "{\"type\":\"x\",\"topic\":\"y\",\"data\":{}}",
                "[[[[[[[[[[1]]]]]]]]]]"
            })
    void dataIsKeptByteForByte(String data) {
        for (String around : List.of("%s", " %s", "%s ", "\t\r\n %s \n\t")) {
            String value = around.formatted(data);
            assertData(data, "{\"topic\":\"a\",\"data\":" + value + "}");
            assertData(data, "{\"data\":" + value + ",\"topic\":\"a\"}");
            assertData(data, " { \"topic\" : \"a\" , \"x\" : [ {} ] , \"data\" :" + value + "}\n");
        }
    }

    private static void assertData(String expected, String request) {
        PublishRequest parsed = PublishRequest.parse(request.getBytes(UTF_8));
        assertArrayEquals(expected.getBytes(UTF_8), parsed.data(), () -> new String(parsed.data(), UTF_8));
    }

    @Test
    void dataMayBeLong() {
        String text = "\"" + "\u5f39a\ud83d\ude80".repeat(30_000) + "\"";
        assertData(text, "{\"topic\":\"a\",\"data\":" + text + "}");
        String number = "9".repeat(100_000);
        assertData(number, "{\"topic\":\"a\",\"data\":" + number + "}");
        assertData("-" + number + ".5e" + number, "{\"topic\":\"a\",\"data\":-" + number + ".5e" + number + "}");
        String array = "[" + "1,".repeat(100_000) + "1]";
        assertData(array, "{\"topic\":\"a\",\"data\":" + array + "}");
    }

    @Test
    void namesMayBeEscaped() {
        PublishRequest parsed = parse("{\"t\\u006fpic\":\"room:\\u0034\\u0032\",\"d\\u0061ta\":1}");
        assertEquals(TopicName.of("room:42"), parsed.targets().get(0).topic());
        assertEquals("1", new String(parsed.data(), UTF_8));
    }

    @Test
    void nestingGoesTo64LevelsWithTheRequestsOwn() {
        assertData("[".repeat(63) + "]".repeat(63), "{\"topic\":\"a\",\"data\":" + nested(63) + "}");
        assertRefused("{\"topic\":\"a\",\"data\":" + nested(64) + "}", "more than 64 levels of nesting");
        assertRefused("{\"topic\":\"a\",\"data\":1,\"x\":" + nested(64) + "}", "more than 64 levels of nesting");
        assertRefused("{\"topic\":\"a\",\"data\":" + "[".repeat(500_000), "more than 64 levels of nesting");
    }

    private static String nested(int levels) {
        return "[".repeat(levels) + "]".repeat(levels);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"topic\":\"a\",\"data\":1,\"topic\":\"b\"} | field 'topic' twice",
                "{\"topic\":\"a\",\"data\":1,\"data\":1} | field 'data' twice",
                "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"topic\":\"a\",\"data\":1,\"a\":2} | field 'a' twice",
                "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"topic\":\"a\",\"data\":1,\"i\":2} | field 'i' twice",
                "{\"topic\":\"a\",\"data\":1,\"d\\u0061ta\":2} | field 'data' twice",
                "{\"x\":1,\"topic\":\"a\",\"data\":1,\"x\":2} | field 'x' twice, the second time at line 1, column",
                "{\"topic\":\"a\",\"topics\":[\"b\"],\"data\":1} | one of 'topic', 'topics', 'user', 'users'",
                "{\"user\":\"a\",\"topic\":\"b\",\"data\":1} | not both 'user' and 'topic'",
                "{\"data\":1} | needs one of 'topic', 'topics', 'user', 'users'",
                "{\"topic\":\"a\"} | needs a field 'data'",
                "{\"topics\":[],\"data\":1} | field 'topics' is empty",
                "{\"topic\":1,\"data\":1} | field 'topic' must be a string, found a number at line 1, column",
                "{\"topic\":null,\"data\":1} | field 'topic' must be a string, found null",
                "{\"topics\":\"a\",\"data\":1} | field 'topics' must be an array of strings, found a string",
                "{\"topics\":[\"a\",1],\"data\":1} | field 'topics' must be an array of strings, found a number",
                "{\"topics\":[\"a\",[\"b\"]],\"data\":1} | field 'topics' must be an array of strings, found an array",
                "{\"topic\":\"a\",\"data\":1,\"priority\":\"urgent\"} | low, normal, high or critical, found 'urgent'",
                "{\"topic\":\"a\",\"data\":1,\"priority\":\"LOW\"} | found 'LOW'",
                "{\"topic\":\"a\",\"data\":1,\"priority\":2} | field 'priority' must be a string",
                "{\"topic\":\"a\",\"data\":1,\"messageId\":\"\"} | 1 to 128 characters, found 0",
                "{\"topic\":\"a\",\"data\":1,\"messageId\":7} | field 'messageId' must be a string",
                "{\"topic\":\"a\",\"data\":1,\"sender\":\"a b\"} | a user's name",
            })
    void refusesWhatIsWrong(String request, String says) {
        assertRefused(request, says);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"ttlMs\":0 | field 'ttlMs' must be 1 to 86400000, found 0",
                "\"ttlMs\":86400001 | field 'ttlMs' must be 1 to 86400000, found 86400001",
                "\"ttlMs\":\"5\" | field 'ttlMs' must be a whole number",
                "\"ttlMs\":1e400 | field 'ttlMs' must be 1 to 86400000",
                "\"ttlMs\":1e16 | field 'ttlMs' must be 1 to 86400000",
                "\"ttlMs\":0.0 | field 'ttlMs' must be 1 to 86400000",
                "\"ttlMs\":1.5 | field 'ttlMs' must be a whole number",
                "\"key\":\"likes\" | 'key' and 'merge' go together: 'merge' is missing",
                "\"merge\":\"sum\" | 'key' and 'merge' go together: 'key' is missing",
                "\"merge\":\"sum\",\"key\":\"\" | field 'key' has 1 to 64 characters, found 0",
                "\"merge\":\"sum\",\"key\":\"a/b\" | this one has '/' at 1: 'a/b'",
                "\"merge\":\"sum\",\"key\":7 | field 'key' must be a string",
                "\"merge\":\"avg\",\"key\":\"k\" | field 'merge' is last, max, sum or top, found 'avg'",
                "\"merge\":\"SUM\",\"key\":\"k\" | found 'SUM'",
                "\"merge\":\"sum\",\"key\":\"k\",\"priority\":\"normal\" | has no 'priority': it is never shed",
                "\"merge\":\"sum\",\"key\":\"k\",\"ttlMs\":5 | has no 'ttlMs': a value stands until it changes",
            })
    void refusesOptionsThatAreWrong(String options, String says) {
        assertRefused("{\"topic\":\"a\",\"data\":1," + options + "}", says);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sum | \"1\" | with merge 'sum' field 'data' must be a number, or null",
                "max | true | with merge 'max' field 'data' must be a number, or null",
                "max | [1] | must be a number",
                "sum | 1e999999 | at most 40 digits before and 40 behind the decimal point",
                "sum | -1e-999999 | at most 40 digits",
                "sum | 1e99999999999999999999 | at most 40 digits",
                "sum | 1e40 | at most 40 digits",
                "sum | 1e-41 | at most 40 digits",
                "top | 1 | with merge 'top' field 'data' must be an object with an id (string) and a score (number)",
                "top | {\"id\":\"u7\"} | needs an id (string) and a score (number)",
                "top | {\"score\":1} | needs an id (string) and a score (number)",
                "top | {\"id\":7,\"score\":1} | in field 'data': field 'id' must be a string, found a number",
                "top | {\"id\":\"u7\",\"score\":\"1\"} | in field 'data': field 'score' must be a number",
                "top | {\"id\":\"u7\",\"score\":1e99} | in field 'data': field 'score' has at most 40 digits",
                "top | {\"id\":\"u7\",\"score\":1,\"score\":2} | in field 'data': field 'score' twice",
            })
    void refusesDataThatCantBeMerged(String merge, String data, String says) {
        assertRefused("{\"topic\":\"a\",\"key\":\"k\",\"merge\":\"" + merge + "\",\"data\":" + data + "}", says);
    }

    @Test
    void refusesNumbersAndEntriesThatAreTooLong() {
        String start = "{\"topic\":\"a\",\"key\":\"k\",\"merge\":";
        assertRefused(start + "\"sum\",\"data\":" + "9".repeat(60_000) + "}", "at most 40 digits");
        assertRefused(start + "\"sum\",\"data\":0." + "0".repeat(100) + "}", "and 100 characters");
        String entry = "{\"id\":\"u7\",\"score\":1,\"name\":\"" + "x".repeat(1024) + "\"}";
        assertRefused(start + "\"top\",\"data\":" + entry + "}", "at most 1024 bytes");
        assertNotNull(parse(start + "\"last\",\"data\":" + entry + "}").value());
    }

    @Test
    void keysHaveAtMost64Characters() {
        String key = "aZ09._~=:-" + "x".repeat(54);
        ValueChange change = value("{\"topic\":\"a\",\"key\":\"" + key + "\",\"merge\":\"sum\",\"data\":1}");
        assertEquals(key, change.key());
        assertRefused("{\"topic\":\"a\",\"key\":\"" + key + "x\",\"merge\":\"sum\",\"data\":1}", "found 65");
    }

    @Test
    void valuesAreRead() {
        PublishRequest parsed = parse("{\"data\": 17 ,\"topics\":[\"a\",\"b\"],\"merge\":\"max\",\"messageId\":\"m\","
                + "\"sender\":\"u8\",\"key\":\"best\"}");
        assertEquals("m", parsed.messageId());
        assertEquals("u8", parsed.sender());
        ValueChange change = parsed.value();
        assertNotNull(change);
        assertEquals("best", change.key());
        assertEquals(Merge.MAX, change.merge());
        assertEquals("17", change.number().toString());
        assertFalse(change.isRemoval());
    }

    @Test
    void nullRemovesAKeyWhateverItsMerge() {
        for (Merge merge : Merge.values()) {
            assertTrue(value("{\"topic\":\"a\",\"key\":\"k\",\"merge\":\"" + merge.wire() + "\",\"data\":null}")
                    .isRemoval());
        }
    }

    private static ValueChange value(String request) {
        ValueChange change = parse(request).value();
        assertNotNull(change);
        return change;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | found nothing",
                "`  ` | found nothing",
                "[] | found an array",
                "\"text\" | found a string",
                "17 | found a number",
                "null | found null",
                "true | found a boolean",
                "{ | not JSON at line 1",
                "{\"topic\" | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":1 | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":1}} | not JSON at line 1, column 23",
                "{\"topic\":\"a\",\"data\":1}{} | text behind the JSON object at line 1, column 23",
                "{\"topic\":\"a\",\"data\":1} x | not JSON at line 1, column",
                "{'topic':'a'} | not JSON at line 1, column 2",
                "{\"topic\":\"a\",\"data\":01} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":+1} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":.5} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":1.} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":NaN} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":Infinity} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":tru} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":\"\\x\"} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":\"\\u12\"} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":[1,]} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":{\"a\"}} | not JSON at line 1",
                "{\"topic\":\"a\",} | not JSON at line 1",
                "{\"topic\":\"a\" \"data\":1} | not JSON at line 1",
                "{\"topic\":\"a\",/* no */\"data\":1} | not JSON at line 1",
                "{\"topic\":\"a\",\"data\":[1}} | not JSON at line 1",
                "<html> | not JSON at line 1, column 1"
            })
    void saysWhereItIsntJson(String request, String says) {
        assertRefused(request, says);
    }

    @Test
    void saysTheLineOfAFaultFurtherDown() {
        assertRefused("{\n  \"topic\": \"a\",\n  \"data\": oops\n}", "not JSON at line 3, column");
    }

    @Test
    void showsNothingOfTheParsersInside() {
        for (String broken : List.of("{\"topic\":\"a", "{\"data\":[1,2", "{\"data\":tru}", "{\"a\":\"\\q\"}")) {
            String message = assertRefused(broken, "not JSON");
            for (String word : List.of("Source", "byte[]", "StreamRead", "jackson", "JsonParser", "Feature", "\n")) {
                assertFalse(message.contains(word), message);
            }
        }
    }

    @Test
    void controlCharactersMustBeEscaped() {
        assertRefused("{\"topic\":\"a\",\"data\":\"\u0000\"}", "not JSON");
        assertRefused("{\"topic\":\"a\",\"data\":\"\n\"}", "not JSON");
        assertRefused("{\"topic\":\"a\",\"data\":1}\u0000", "not JSON");
    }

    @Test
    void truncatedAnywhereItIsRefused() {
        byte[] whole = "{\"topic\":\"room:42\",\"messageId\":\"m\",\"data\":{\"a\":[1,\"\u5f39\"]}}".getBytes(UTF_8);
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(whole, length);
            ProtocolException refused = assertThrows(ProtocolException.class, () -> PublishRequest.parse(cut));
            assertEquals(ErrorCode.BAD_REQUEST, refused.code());
        }
        assertNotNull(PublishRequest.parse(whole));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-16", "UTF-32LE", "UTF-32BE"})
    void otherEncodingsAreRefused(String encoding) {
        byte[] text = "{\"topic\":\"a\",\"data\":1}".getBytes(Charset.forName(encoding));
        String message = assertThrows(ProtocolException.class, () -> PublishRequest.parse(text))
                .getMessage();
        assertTrue(
                message.startsWith("not JSON in UTF-8: a zero byte") || message.startsWith("not valid UTF-8"), message);
    }

    @Test
    void byteOrderMarkIsRefused() {
        assertRefused("\ufeff{\"topic\":\"a\",\"data\":1}", "without a byte order mark");
    }

    @Test
    void invalidUtf8IsRefusedWithItsPlace() {
        byte[] text = "{\"topic\":\"a\",\"data\":\"x\"}".getBytes(UTF_8);
        text[21] = (byte) 0xff;
        String message = assertThrows(ProtocolException.class, () -> PublishRequest.parse(text))
                .getMessage();
        assertEquals("not valid UTF-8 at byte 21", message);
    }

    @Test
    void targetsHaveTheirOwnErrors() {
        PublishRequest parsed = parse("{\"topics\":[\"a\",\"b c\",\"$user:x\"],\"data\":1}");
        assertFalse(parsed.single());
        assertEquals(
                List.of("a", "b c", "$user:x"),
                parsed.targets().stream().map(Target::name).toList());
        assertNull(parsed.targets().get(0).error());
        assertNull(parsed.targets().get(1).topic());
        assertEquals(ErrorCode.BAD_REQUEST, error(parsed, 1).code());
        assertEquals(ErrorCode.BAD_REQUEST, error(parsed, 2).code());

        PublishRequest users = parse("{\"users\":[\"u7\",\"u 8\"],\"data\":1}");
        assertEquals(TopicName.ofUser("u7"), users.targets().get(0).topic());
        assertEquals("$user:u 8", users.targets().get(1).name());
        assertNotNull(users.targets().get(1).error());
        assertTrue(parse("{\"user\":\"u7\",\"data\":1}").single());
        assertFalse(parse("{\"users\":[\"u7\"],\"data\":1}").single());
    }

    private static ProtocolException error(PublishRequest parsed, int target) {
        ProtocolException error = parsed.targets().get(target).error();
        assertNotNull(error);
        return error;
    }

    @Test
    void targetsAreAtMostAThousand() {
        assertEquals(
                1000,
                parse("{\"topics\":[" + names(1000) + "],\"data\":1}").targets().size());
        assertRefused("{\"topics\":[" + names(1001) + "],\"data\":1}", "more than 1000 elements");
    }

    private static String names(int count) {
        return IntStream.range(0, count).mapToObj(i -> "\"t" + i + "\"").collect(Collectors.joining(","));
    }

    @Test
    void messageIdsHaveAtMost128Characters() {
        assertNotNull(parse("{\"topic\":\"a\",\"data\":1,\"messageId\":\"" + "x".repeat(128) + "\"}"));
        assertRefused("{\"topic\":\"a\",\"data\":1,\"messageId\":\"" + "x".repeat(129) + "\"}", "found 129");
    }

    @Test
    void optionsAreRead() {
        PublishRequest parsed = parse(
                "{\"user\":\"u7\",\"messageId\":\"m\",\"priority\":\"critical\",\"sender\":\"u8\",\"data\":1,\"later\":{}}");
        assertEquals("m", parsed.messageId());
        assertEquals(Priority.CRITICAL, parsed.priority());
        assertEquals("u8", parsed.sender());
        assertEquals(0, parsed.ttlMillis());
        assertNull(parsed.value());
        assertEquals(5_000, parse("{\"topic\":\"a\",\"data\":1,\"ttlMs\":5000}").ttlMillis());
        assertEquals(
                86_400_000,
                parse("{\"topic\":\"a\",\"data\":1,\"ttlMs\":86400000}").ttlMillis());
    }

    private static PublishRequest parse(String request) {
        return PublishRequest.parse(request.getBytes(UTF_8));
    }

    private static String assertRefused(String request, String says) {
        ProtocolException refused = assertThrows(ProtocolException.class, () -> parse(request));
        assertEquals(ErrorCode.BAD_REQUEST, refused.code());
        assertTrue(refused.getMessage().contains(says), refused.getMessage());
        assertTrue(refused.getMessage().length() < 500, refused.getMessage());
        return refused.getMessage();
    }
}
