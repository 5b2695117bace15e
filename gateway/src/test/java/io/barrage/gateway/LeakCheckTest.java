package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import org.junit.jupiter.api.Test;

/** The leak check catches what is lost, whoever made it. */
class LeakCheckTest {
    @Test
    void watchesClassesThatDontAskForIt() {
        assertEquals(LeakCheckTest.class.getSimpleName(), LeakCheck.watched());
    }

    @Test
    void failsForEachKindOfBufferThatIsLost() {
        lose(PooledByteBufAllocator.DEFAULT, "pooled buffer");
        AssertionError pooled = assertThrows(AssertionError.class, LeakCheck::failOnLeaks);
        assertTrue(String.valueOf(pooled.getMessage()).contains("pooled buffer"), pooled.getMessage());

        lose(UnpooledByteBufAllocator.DEFAULT, "plain buffer");
        AssertionError plain = assertThrows(AssertionError.class, LeakCheck::failOnLeaks);
        assertTrue(String.valueOf(plain.getMessage()).contains("plain buffer"), plain.getMessage());

        lose(ByteBufAllocator.DEFAULT, "default buffer");
        AssertionError adaptive = assertThrows(AssertionError.class, LeakCheck::failOnLeaks);
        assertTrue(String.valueOf(adaptive.getMessage()).contains("default buffer"), adaptive.getMessage());
    }

    private static void lose(ByteBufAllocator allocator, String hint) {
        allocator.directBuffer(16).touch(hint);
    }

    @Test
    void isContentWithWhatIsReleased() {
        ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(16);
        buffer.retainedSlice(0, 4).release();
        buffer.release();
        assertDoesNotThrow(LeakCheck::failOnLeaks);
    }
}
