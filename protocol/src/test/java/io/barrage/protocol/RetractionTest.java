package io.barrage.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetractionTest {
    private static final TopicName ROOM = TopicName.of("room:42");

    private static RetractRequest parse(String json) {
        return RetractRequest.parse(json.getBytes(UTF_8));
    }

    @Test
    void isAskedForByOffsetsOrBySender() {
        assertEquals(new RetractRequest(List.of(2L, 18L), null), parse("{\"offsets\":[18,2,18],\"why\":\"spam\"}"));
        assertEquals(new RetractRequest(List.of(), "u7"), parse("{\"sender\":\"u7\"}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | either 'offsets' or 'sender'",
                "{\"offsets\":[1],\"sender\":\"u7\"} | either 'offsets' or 'sender'",
                "{\"offsets\":[]} | field 'offsets' is empty",
                "{\"offsets\":7} | must be an array of whole numbers, found a number",
                "{\"offsets\":[1,[2]]} | must be an array of whole numbers, found an array",
                "{\"offsets\":[9007199254740992]} | must be 1 to 9007199254740991",
                "{\"offsets\":[99999999999999999999999]} | must be 1 to 9007199254740991",
                "{\"offsets\":[1,2 | not JSON",
                "{\"sender\":\"a/b\"} | '/' at 1"
            })
    void namesWhatIsWrong(String json, String says) {
        ProtocolException mistake = assertThrows(ProtocolException.class, () -> parse(json));
        assertEquals(ErrorCode.BAD_REQUEST, mistake.code());
        assertTrue(mistake.getMessage().contains(says), mistake.getMessage());
    }

    @Test
    void leavesOfAMessageItsPlaceAlone() {
        byte[] data = ("\"" + "x".repeat(5_000) + "\"").getBytes(UTF_8);
        Message message = new Message.Draft(ROOM, data, Priority.HIGH, "u7", 1, 5, 100).at(18, 3);
        Message place = message.retracted();
        assertFalse(message.isRetracted());
        assertTrue(place.isRetracted());
        assertSame(place, place.retracted());
        assertEquals(18, place.offset());
        assertEquals(3, place.hidden());
        assertEquals(Priority.HIGH, place.priority());
        assertEquals(5, place.acceptedNanos());
        assertNull(place.sender());
        assertTrue(place.weight() < 200);
        assertFalse(place.isExpired(1_000));
    }

    @Test
    void ofTheLongestOffsetsFitsASmallFrame() {
        List<Long> offsets = java.util.stream.LongStream.rangeClosed(
                        Position.MAX_OFFSET - Retraction.MAX_OFFSETS + 1, Position.MAX_OFFSET)
                .boxed()
                .toList();
        Retraction retraction = new Retraction(ROOM, offsets);
        int length = new ServerFrame.Retract(ROOM, retraction.offsets()).json().length;
        assertTrue(length < 18 * 1024, length + " bytes");
        assertTrue(retraction.weight() > length);
    }

    @Test
    void positionsOfATopicAreWrittenWithoutItsName() {
        assertEquals(new Position("k3x9", 17), Position.parse("k3x9:17"));
        for (String wrong : new String[] {"", "k3x9", "17", "K:1", "k3x9:", "k3x9:-1", "k3x9:1.5", "a:b:1", ":1"}) {
            assertThrows(ProtocolException.class, () -> Position.parse(wrong), wrong);
        }
    }
}
