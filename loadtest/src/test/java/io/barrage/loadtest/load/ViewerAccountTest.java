package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

final class ViewerAccountTest {
    private static final String A = "{\"type\":\"message\",\"topic\":\"t\",\"offset\":1,\"time\":5,\"data\":\"a\"}";
    private static final String B =
            "{\"type\":\"message\",\"topic\":\"t\",\"offset\":2,\"hidden\":37,\"time\":6,\"sender\":\"u1\",\"data\":{\"hidden\":9}}";
    private static final String GIFT =
            "{\"type\":\"message\",\"topic\":\"t\",\"offset\":3,\"time\":7,\"priority\":\"critical\",\"data\":1}";

    private static ViewerAccount sees(String... frames) {
        ViewerAccount account = new ViewerAccount();
        for (String frame : frames) {
            ByteBuf buffer = Unpooled.copiedBuffer(frame, UTF_8);
            account.message(buffer, 0, buffer.readableBytes());
        }
        return account;
    }

    @Test
    void isEqualForThoseWhoSawTheSame() {
        assertEquals(sees(A, B).hash(), sees(A, B).hash());
    }

    @Test
    void differsByOrderOffsetDataAndLoss() {
        long hash = sees(A, B).hash();
        assertNotEquals(hash, sees(B, A).hash());
        assertNotEquals(hash, sees(A).hash());
        assertNotEquals(hash, sees(A.replace("\"offset\":1", "\"offset\":7"), B).hash());
        assertNotEquals(hash, sees(A.replace("\"a\"", "\"b\""), B).hash());
    }

    @Test
    void differsByAMessageWithoutOffset() {
        assertNotEquals(sees(A).hash(), sees(A, A.replace("\"offset\":1,", "")).hash());
    }

    @Test
    void sumsWhatWasHidden() {
        ViewerAccount account = sees(A, B);
        account.hidden(5);
        assertEquals(42, account.hidden());
    }

    @Test
    void knowsWhichCriticalOnesCame() {
        ViewerAccount account = sees(A, B, GIFT);
        assertEquals(3, account.messages());
        assertEquals(1, account.critical());
        assertEquals(ViewerAccount.spread(3), account.criticalOffsets());
        assertNotEquals(ViewerAccount.spread(3), ViewerAccount.spread(4));
    }

    @Test
    void doesNotTakeDataForAPriority() {
        assertEquals(
                0,
                sees(A.replace("\"a\"", "{\"x\":1,\"priority\":\"critical\"}")).critical());
    }
}
