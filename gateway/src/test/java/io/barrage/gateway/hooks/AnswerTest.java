package io.barrage.gateway.hooks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.TopicPatterns;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Merge;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.ValueChange;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerTest {
    private static final Grant OF_TOKEN = new Grant(
            "u7",
            true,
            1_000,
            "{\"name\":\"Ann\"}",
            TopicPatterns.of(List.of("room:*")),
            TopicPatterns.NONE,
            List.of(TopicName.of("room:1")));

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static PublishRequest asked(@Nullable ValueChange value) {
        return new PublishRequest(List.of(), true, bytes("\"hi\""), Priority.NORMAL, "m1", null, 0, value);
    }

    private static Answer<Verdict> publish(String answer) {
        return Answer.publish(bytes(answer), asked(null), 20);
    }

    private static Answer<Grant> connect(String answer, Grant granted) {
        return Answer.connect(bytes(answer), granted, true);
    }

    private static String mistake(Runnable reading) {
        return assertThrows(ProtocolException.class, reading::run).getMessage();
    }

    // ---------------------------------------------------------------- what all answers have in common

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                            | neither 'allow' nor 'hold' is said",
                "{\"hold\":false}              | neither 'allow' nor 'hold' is said",
                "{\"allow\":true,\"hold\":true}| both 'allow' and 'hold' are said",
                "{\"allow\":\"yes\"}           | field 'allow' must be true or false, found a string at line 1, column 10",
                "{\"allow\":null}              | field 'allow' must be true or false, found null at line 1, column 10",
                "[true]                        | expected a JSON object, found an array",
                "{\"allow\":true,\"allow\":true}| field 'allow' twice, the second time at line 1, column 15",
                "<html>                        | not JSON at line 1, column 1: Unexpected character ('<' (code 60)): expected a"
                        + " valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            })
    void saysWhatItDoesNotUnderstand(String answer, String expected) {
        assertEquals(expected, mistake(() -> publish(answer)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"allow\":false}",
                "{\"allow\":false,\"reason\":42}",
                "{\"allow\":false,\"hold\":true}",
                "{\"hold\":true,\"allow\":false}",
                "{\"data\":1,\"allow\":false,\"priority\":\"loud\"}",
                "{\"code\":\"banned\",\"allow\":false}",
                "{\"allow\":false,\"allow\":true}",
                "{\"allow\":false,\"data\":{\"a\":1},\"data\":{\"allow\":true}}",
                "{\"data\":1,\"data\":[{\"allow\":true}],\"allow\":false}"
            })
    void takesANoForANoWhateverElseIsWrong(String answer) {
        Answer<Verdict> read = publish(answer);
        assertEquals(HookOutcome.REFUSED, read.outcome());
        assertEquals(
                "the backend refused this", assertNotNullAnd(read.refusal()).getMessage());
    }

    @Test
    void doesNotTakeBrokenTextForANo() {
        mistake(() -> publish("{\"allow\":false,"));
        mistake(() -> publish("{\"allow\":false,\"data\":1,\"data\":oops}"));
        mistake(() -> publish("{\"hold\":true}{\"allow\":false}"));
    }

    private static ProtocolException assertNotNullAnd(@Nullable ProtocolException refusal) {
        assertNotNull(refusal);
        return refusal;
    }

    @Test
    void passesOnAReasonButNoNovel() {
        assertEquals(
                "rude",
                assertNotNullAnd(
                                publish("{\"allow\":false,\"reason\":\"rude\"}").refusal())
                        .getMessage());
        String emoji = "\ud83d\ude00";
        String cut = assertNotNullAnd(publish("{\"allow\":false,\"reason\":\"x" + emoji.repeat(300) + "\"}")
                        .refusal())
                .getMessage();
        assertEquals("x" + emoji.repeat(99), cut);
    }

    // ---------------------------------------------------------------- connect

    @Test
    void keepsWhatTheTokenGrantsWhereTheAnswerSaysNothing() {
        assertEquals(OF_TOKEN, connect("{\"allow\":true}", OF_TOKEN).value());
    }

    @Test
    void namesAConnectionAndSaysWhatItMay() {
        Grant grant = connect(
                        "{\"allow\":true,\"user\":\"u8\",\"info\":{\"n\": 1},\"topics\":{\"subscribe\":[\"a:*\"],"
                                + "\"publish\":[\"a:1\"]},\"join\":[\"a:1\"],\"expires\":5000,\"later\":{}}",
                        Grant.unproved("u7"))
                .value();
        assertNotNull(grant);
        assertEquals("u8", grant.user());
        assertTrue(grant.authenticated());
        assertEquals("{\"n\": 1}", grant.info());
        assertTrue(grant.subscribe().match(TopicName.of("a:2")));
        assertTrue(grant.publish().match(TopicName.of("a:1")));
        assertFalse(grant.publish().match(TopicName.of("a:2")));
        assertEquals(List.of(TopicName.of("a:1")), grant.join());
        assertEquals(5_000, grant.expires());
    }

    @Test
    void doesNotVouchForANameThatItDidNotGive() {
        Grant grant = connect("{\"allow\":true}", Grant.unproved("u7")).value();
        assertNotNull(grant);
        assertFalse(grant.authenticated());
    }

    @Test
    void mayNotReplaceTheUserOfAToken() {
        assertEquals(
                "field 'user' is 'u8', but the connection's token says 'u7'",
                mistake(() -> connect("{\"allow\":true,\"user\":\"u8\"}", OF_TOKEN)));
        assertEquals(
                OF_TOKEN.with(new Grant.Additions("u7", null, null, null, null), OF_TOKEN.expires()),
                connect("{\"allow\":true,\"user\":\"u7\"}", OF_TOKEN).value());
    }

    @Test
    void mayNameAnotherUserThanTheBackendDidBefore() {
        Grant grant = Answer.connect(bytes("{\"allow\":true,\"user\":\"u8\"}"), OF_TOKEN, false)
                .value();
        assertNotNull(grant);
        assertEquals("u8", grant.user());
    }

    @Test
    void mayNameWhomATokenLeavesNameless() {
        Grant nameless = new Grant(null, true, 0, null, TopicPatterns.NONE, TopicPatterns.NONE, List.of());
        Grant grant = connect("{\"allow\":true,\"user\":\"u8\"}", nameless).value();
        assertNotNull(grant);
        assertEquals("u8", grant.user());
    }

    @Test
    void mayEndATokenEarlierButNotLater() {
        assertEquals(500, expires("{\"allow\":true,\"expires\":500}"));
        assertEquals(1_000, expires("{\"allow\":true,\"expires\":2000}"));
    }

    private static long expires(String answer) {
        Grant grant = connect(answer, OF_TOKEN).value();
        assertNotNull(grant);
        return grant.expires();
    }

    @Test
    void saysHowToTurnAConnectionAway() {
        assertEquals(ErrorCode.FORBIDDEN, refusedConnect("{\"allow\":false}"));
        assertEquals(ErrorCode.FORBIDDEN, refusedConnect("{\"allow\":false,\"code\":4403}"));
        assertEquals(ErrorCode.UNAUTHORIZED, refusedConnect("{\"allow\":false,\"code\":4401}"));
    }

    private static ErrorCode refusedConnect(String answer) {
        return assertNotNullAnd(connect(answer, OF_TOKEN).refusal()).code();
    }

    @Test
    void refusesGrantsThatAreNone() {
        assertEquals(
                "in field 'topics': topic pattern 'a*b' is neither a topic nor the beginning of one and *: a topic name"
                        + " consists of A-Z a-z 0-9 . _ ~ = : - but this one has '*' at 1: 'a*b'",
                mistake(() -> connect("{\"allow\":true,\"topics\":{\"subscribe\":[\"a*b\"]}}", Grant.ANONYMOUS)));
        assertEquals(
                "field 'info' has at most 1024 bytes, this has 1025",
                mistake(() -> connect("{\"allow\":true,\"info\":\"" + "x".repeat(1_023) + "\"}", Grant.ANONYMOUS)));
        mistake(() -> connect("{\"allow\":true,\"user\":\"a b\"}", Grant.ANONYMOUS));
        mistake(() -> connect("{\"hold\":true}", Grant.ANONYMOUS));
    }

    // ---------------------------------------------------------------- publish

    private static PublishRequest published(Answer<Verdict> answer) {
        return assertInstanceOf(Verdict.Allowed.class, answer.value()).request();
    }

    @Test
    void publishesWhatWasAsked() {
        Answer<Verdict> answer = publish("{\"allow\":true}");
        assertEquals(HookOutcome.ALLOWED, answer.outcome());
        assertEquals("\"hi\"", new String(published(answer).data(), UTF_8));
    }

    @Test
    void publishesWhatTheBackendPutsInItsPlaceByteForByte() {
        Answer<Verdict> answer = publish("{\"allow\":true, \"data\": {\"a\" : 1e2}, \"priority\":\"low\"}");
        assertEquals(HookOutcome.REWRITTEN, answer.outcome());
        assertEquals("{\"a\" : 1e2}", new String(published(answer).data(), UTF_8));
        assertEquals(Priority.LOW, published(answer).priority());
        assertEquals("m1", published(answer).messageId());
    }

    @Test
    void holds() {
        Answer<Verdict> answer = publish("{\"hold\":true}");
        assertEquals(HookOutcome.HELD, answer.outcome());
        assertInstanceOf(Verdict.Held.class, answer.value());
    }

    @Test
    void refusesDataThatCouldNotHaveBeenPublished() {
        assertEquals(
                "field 'data' has at most 20 bytes, this has 21",
                mistake(() -> publish("{\"allow\":true,\"data\":\"" + "x".repeat(19) + "\"}")));
        mistake(() -> publish("{\"allow\":true,\"data\":" + "[".repeat(70) + "]".repeat(70) + "}"));
        assertEquals(
                "not valid UTF-8 at byte 22",
                mistake(() -> Answer.publish(
                        "{\"allow\":true,\"data\":\"\u00ff\"}".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1),
                        asked(null),
                        20)));
        assertEquals(
                "field 'priority' is low, normal, high or critical, found 'loud'",
                mistake(() -> publish("{\"allow\":true,\"priority\":\"loud\"}")));
    }

    @Test
    void rewritesValuesWithinTheirMerge() {
        PublishRequest sum = asked(ValueChange.of("likes", Merge.SUM, bytes("5")));
        Answer<Verdict> answer = Answer.publish(bytes("{\"allow\":true,\"data\":1}"), sum, 20);
        ValueChange value = published(answer).value();
        assertNotNull(value);
        assertEquals("1", new String(value.data(), UTF_8));
        assertEquals(
                "with merge 'sum' field 'data' must be a number, or null to remove the key",
                mistake(() -> Answer.publish(bytes("{\"allow\":true,\"data\":\"many\"}"), sum, 20)));
        assertEquals(
                "a publish with 'key' and 'merge' has no 'priority'",
                mistake(() -> Answer.publish(bytes("{\"allow\":true,\"priority\":\"low\"}"), sum, 20)));
    }
}
