package io.barrage.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ControlRequestTest {
    private static ControlRequest parse(String text) {
        return ControlRequest.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsAllFields() {
        ControlRequest request =
                parse("{\"topic\":\"room:42\",\"since\":{\"epoch\":\"k3x9\",\"offset\":17},\"last\":20,"
                        + "\"connection\":\"1f3k9z-2\",\"reason\":\"剧透\",\"reconnect\":true,\"more\":[1]}");
        assertEquals(TopicName.of("room:42"), request.requireTopic());
        assertEquals(new Position("k3x9", 17), request.since());
        assertEquals(20, request.last());
        assertEquals("1f3k9z-2", request.connection());
        assertEquals("剧透", request.reason());
        assertTrue(request.reconnect());
    }

    @Test
    void needsNone() {
        ControlRequest request = parse("{}");
        assertNull(request.topic());
        assertNull(request.since());
        assertEquals(0, request.last());
        assertNull(request.connection());
        assertNull(request.reason());
        assertFalse(request.reconnect());
        assertEquals(
                "this request needs a field 'topic'",
                assertThrows(ProtocolException.class, request::requireTopic).getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]|expected a JSON object, found an array",
                "{\"topic\":7}|field 'topic' must be a string, found a number",
                "{\"topic\":\"$user:u7\"}|topic names that start with '$' are reserved",
                "{\"last\":0}|field 'last' must be 1 to 1000000, found 0",
                "{\"since\":17}|field 'since' must be an object with epoch and offset",
                "{\"reconnect\":\"yes\"}|field 'reconnect' must be true or false, found a string",
                "{\"reason\":\"\"}|a 'reason' has 1 to 90 bytes in UTF-8, this one has 0",
                "{\"reason\":\"a\\nb\"}|a 'reason' has no control characters",
                "{\"reason\":1}|field 'reason' must be a string, found a number",
            })
    void namesWhatIsWrong(String text, String message) {
        String found = assertThrows(ProtocolException.class, () -> parse(text)).getMessage();
        assertTrue(found.startsWith(message), found);
    }

    @Test
    void boundsAReasonInBytes() {
        assertEquals(30, ControlRequest.checkReason("剧".repeat(30)).length());
        assertThrows(ProtocolException.class, () -> ControlRequest.checkReason("剧".repeat(31)));
    }
}
