package io.barrage.gateway.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeflateOfferTest {
    private static final String ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "permessage-deflate",
                "  permessage-deflate\t",
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; client_max_window_bits=8",
                "permessage-deflate; client_max_window_bits=15",
                "permessage-deflate; client_max_window_bits=\"10\"",
                "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
                "permessage-deflate ; client_max_window_bits = 12 ; server_no_context_takeover",
                // Others are passed over, and so are offers that can't be met.
                "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
                "permessage-bzip2; level=\"9\"; fast, permessage-deflate",
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                "permessage-deflate; unknown, permessage-deflate; client_max_window_bits, permessage-deflate; x=y",
                ",, permessage-deflate ,"
            })
    void isAccepted(String field) {
        assertEquals(ANSWER, DeflateOffer.answer(List.of(field)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "permessage-deflate; server_max_window_bits=15",
                "permessage-deflate; server_max_window_bits=\"15\"",
                "permessage-deflate; server_max_window_bits=\"1\\5\"; client_max_window_bits",
                "permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=15"
            })
    void largestWindowIsEchoed(String field) {
        assertEquals(ANSWER + "; server_max_window_bits=15", DeflateOffer.answer(List.of(field)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " , ",
                "permessage-bzip2",
                "Permessage-Deflate2; permessage-deflate",
                // A window that java.util.zip doesn't have, or that nobody has.
                "permessage-deflate; server_max_window_bits=8",
                "permessage-deflate; server_max_window_bits=14",
                "permessage-deflate; server_max_window_bits=16",
                "permessage-deflate; server_max_window_bits=015",
                "permessage-deflate; server_max_window_bits",
                "permessage-deflate; client_max_window_bits=7",
                "permessage-deflate; client_max_window_bits=16",
                "permessage-deflate; client_max_window_bits=08",
                "permessage-deflate; client_max_window_bits=x",
                // Parameters without a value that have one.
                "permessage-deflate; server_no_context_takeover=1",
                "permessage-deflate; client_no_context_takeover=\"true\"",
                // Twice the same, also with the same value.
                "permessage-deflate; client_max_window_bits; client_max_window_bits",
                "permessage-deflate; server_max_window_bits=15; server_max_window_bits=15",
                "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                // What RFC 7692 doesn't know.
                "permessage-deflate; level",
                "permessage-deflate; level=9",
                "permessage-deflate; client_max_window_bits; mem=\"a\""
            })
    void isDeclined(String field) {
        assertNull(DeflateOffer.answer(List.of(field)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ";",
                "permessage-deflate;",
                "permessage-deflate; ;client_max_window_bits",
                "permessage-deflate; client_max_window_bits=",
                "permessage-deflate; =15",
                "permessage-deflate; client_max_window_bits=\"15",
                "permessage-deflate; client_max_window_bits=\"\"",
                "permessage-deflate; client_max_window_bits=\"1 5\"",
                "permessage-deflate; client_max_window_bits=\"15\\",
                "permessage-deflate; client_max_window_bits=\"15\"x",
                "permessage-deflate client_max_window_bits",
                "permessage-deflate; client_max_window_bits=15=15",
                "permessage-deflate/1",
                "permessage-deflate, \u00e4",
                "permessage-deflate, x; y=(z)",
                "\"permessage-deflate\""
            })
    void isMalformed(String field) {
        ProtocolException refusal =
                assertThrows(ProtocolException.class, () -> DeflateOffer.answer(List.of("permessage-deflate", field)));
        assertEquals(ErrorCode.BAD_REQUEST, refusal.code());
        assertTrue(refusal.getMessage().startsWith("Sec-WebSocket-Extensions isn't well-formed at character "));
    }

    @Test
    void malformationIsNamedByItsPlace() {
        ProtocolException refusal =
                assertThrows(ProtocolException.class, () -> DeflateOffer.answer(List.of("permessage-deflate; a b")));
        assertTrue(refusal.getMessage().contains("at character 23: "), refusal.getMessage());
    }

    @Test
    void fieldsAreOneList() {
        assertNull(DeflateOffer.answer(List.of()));
        assertEquals(ANSWER, DeflateOffer.answer(List.of("x", "permessage-deflate; z", "permessage-deflate")));
        assertEquals(
                ANSWER,
                DeflateOffer.answer(List.of("permessage-deflate", "permessage-deflate; server_max_window_bits=15")));
    }
}
