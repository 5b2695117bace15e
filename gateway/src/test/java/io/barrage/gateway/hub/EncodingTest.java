package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class EncodingTest {
    private final ShardRig rig = new ShardRig();

    @AfterEach
    void close() {
        assertEquals(0, rig.closeAndCountLeaks());
    }

    @ParameterizedTest
    @EnumSource
    void isFoundByItsTraits(Encoding encoding) {
        assertEquals(encoding, Encoding.of(encoding.batch(), encoding.deflated()));
    }

    @Test
    void connectionIsPlainUntilItSaysOtherwise() {
        RecordingConnection connection = rig.connect();
        assertEquals(Encoding.PLAIN, connection.encoding());
        connection.encoding(Encoding.BATCH_DEFLATED);
        assertEquals(Encoding.BATCH_DEFLATED, connection.encoding());
    }

    @Test
    void connectionWithASubscriptionKeepsIts() {
        RecordingConnection connection = rig.connect("room:42");
        assertThrows(IllegalStateException.class, () -> connection.encoding(Encoding.BATCH));
        assertEquals(Encoding.PLAIN, connection.encoding());
    }
}
