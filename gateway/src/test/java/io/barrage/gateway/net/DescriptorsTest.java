package io.barrage.gateway.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DescriptorsTest {
    @ParameterizedTest
    @CsvSource({
        "1024, 40, 0, 920", // the least reserve
        "20000, 40, 0, 19648", // a part
        "262144, 40, 0, 261080", // the most
        "1024, 40, 100, 820", // and the calls
        "1024, 40, 768, 664", // which don't get all of it
        "100, 40, 0, 1", // one may always come
        "9223372036854775807, 40, 0, 2147483647",
        "0, 40, 100, 0", // no limit
    })
    void leavesSomeForWhatIsntAClient(long limit, long open, int calls, int room) {
        assertEquals(room, new Descriptors(limit, open).roomForClients(calls));
    }

    @Test
    void knowsThoseOfTheProcess() {
        Descriptors now = Descriptors.ofProcess();
        assertTrue(now.limit() == 0 || now.limit() > now.open(), now.toString());
    }
}
