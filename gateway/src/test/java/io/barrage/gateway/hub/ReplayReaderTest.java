package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.Priority;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class ReplayReaderTest {
    private final ShardRig rig = new ShardRig();
    private final ReplayReader reader = new ReplayReader(rig.loop, rig.allocator, new FrameEncoder());

    @AfterEach
    void leaksNothing() {
        assertEquals(0, rig.closeAndCountLeaks());
    }

    /** One that has read nothing of a topic's only message. */
    private Subscription newcomer(String topic, String json) {
        RecordingConnection connection = rig.connect(Encoding.BATCH);
        rig.subscribe(connection, topic);
        rig.publish(topic, Priority.NORMAL, json);
        rig.loop.runUntilIdle();
        Stream stream = connection.subscriptions.get(0).stream;
        return new Subscription(connection, stream, stream.log.headFrame(), 0);
    }

    private static Replay all() {
        return new Replay(1, true, ShedReason.BEHIND, true, null, 0);
    }

    @Test
    void givesNobodyWhatWasReadForAnother() {
        Subscription of = newcomer("room:closed", "\"for one alone\"");
        Subscription other = newcomer("room:open", "\"for all\"");
        ByteBuf noRoom = Unpooled.buffer(1, 1);
        ByteBuf piece = Unpooled.buffer();
        try {
            assertThrows(IndexOutOfBoundsException.class, () -> reader.read(of, all(), noRoom));
            assertEquals(ReplayReader.Outcome.READ, reader.read(other, all(), piece));
            String read = piece.toString(StandardCharsets.UTF_8);
            assertTrue(read.contains("for all"), read);
            assertFalse(read.contains("for one alone"), read);
        } finally {
            noRoom.release();
            piece.release();
        }
    }
}
