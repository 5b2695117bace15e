package io.barrage.gateway.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.Rate;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final long SECOND = 1_000_000_000L;

    private int connections;
    private ClientLimits limits = ClientLimits.NONE;
    // Where the clock's sign changes.
    private long nanos = Long.MAX_VALUE - SECOND / 2;
    private final Admission admission = new Admission(this::rules, () -> nanos);

    private ClientRules rules() {
        return new ClientRules(
                false,
                List.of(),
                true,
                Duration.ofHours(1),
                Duration.ofHours(1),
                1 << 16,
                connections,
                10,
                limits,
                Forwarding.NONE,
                Duration.ofHours(1));
    }

    private static SocketAddress at(String address) {
        return new InetSocketAddress(Objects.requireNonNull(AddressBlock.address(address), address), 5000);
    }

    private void limit(int perUser, int perAddress, boolean loopback) {
        limits = new ClientLimits(perUser, perAddress, loopback, Rate.NONE, Rate.NONE, Rate.NONE, Rate.NONE);
    }

    private void paces(String node, String address) {
        limits = new ClientLimits(0, 0, false, Rate.parse(node), Rate.parse(address), Rate.NONE, Rate.NONE);
    }

    @Test
    void countsTheNode() {
        connections = 2;
        assertNull(admission.enter(at("203.0.113.1")));
        assertNull(admission.enter(null));
        assertEquals(ClientLimit.CONNECTIONS, admission.enter(at("203.0.113.2")));
        admission.leave(null);
        assertNull(admission.enter(at("203.0.113.2")));
    }

    @Test
    void countsAddressesAndForgetsThem() {
        limit(0, 2, false);
        assertNull(admission.enter(at("203.0.113.1")));
        assertNull(admission.enter(at("203.0.113.1")));
        assertEquals(ClientLimit.CONNECTIONS_PER_ADDRESS, admission.enter(at("203.0.113.1")));
        assertNull(admission.enter(at("203.0.113.2")));
        admission.leave(at("203.0.113.1"));
        assertNull(admission.enter(at("203.0.113.1")));
        admission.leave(at("203.0.113.1"));
        admission.leave(at("203.0.113.1"));
        admission.leave(at("203.0.113.2"));
        assertEquals(0, admission.remembered());
    }

    @Test
    void whoIsRefusedTakesNoPlaceOfTheNode() {
        connections = 2;
        limit(0, 1, false);
        assertNull(admission.enter(at("203.0.113.1")));
        assertEquals(ClientLimit.CONNECTIONS_PER_ADDRESS, admission.enter(at("203.0.113.1")));
        assertNull(admission.enter(at("203.0.113.2")));
    }

    @Test
    void countsIpv6ByWhatACustomerHas() {
        limit(0, 1, false);
        assertNull(admission.enter(at("2a00:1:2:3::1")));
        assertEquals(ClientLimit.CONNECTIONS_PER_ADDRESS, admission.enter(at("2a00:1:2:3:ffff::2")));
        assertNull(admission.enter(at("2a00:1:2:4::1")));
    }

    @Test
    void leavesLoopbackAloneUnlessTold() {
        limit(0, 1, false);
        assertNull(admission.enter(at("127.0.0.1")));
        assertNull(admission.enter(at("127.0.0.1")));
        assertNull(admission.enter(at("::1")));
        // It knows them when it is told.
        limit(0, 1, true);
        assertEquals(ClientLimit.CONNECTIONS_PER_ADDRESS, admission.enter(at("127.0.0.1")));
        admission.leave(at("127.0.0.1"));
        assertEquals(ClientLimit.CONNECTIONS_PER_ADDRESS, admission.enter(at("127.0.0.1")));
        admission.leave(at("127.0.0.1"));
        assertNull(admission.enter(at("127.0.0.1")));
    }

    @Test
    void countsUsers() {
        limit(2, 0, false);
        assertTrue(admission.enterAs("u7"));
        assertTrue(admission.enterAs("u7"));
        assertFalse(admission.enterAs("u7"));
        assertTrue(admission.enterAs("u8"));
        limit(0, 0, false);
        assertTrue(admission.enterAs("u7"));
        for (int i = 0; i < 3; i++) {
            admission.leaveAs("u7");
        }
        admission.leaveAs("u8");
        assertEquals(0, admission.remembered());
    }

    @Test
    void takesUpSoManyHandshakesInASecond() {
        paces("3/s", "none");
        for (int i = 0; i < 3; i++) {
            assertNull(admission.handshake(at("203.0.113." + i)));
        }
        assertEquals(ClientLimit.HANDSHAKES, admission.handshake(at("203.0.113.9")));
        nanos += SECOND / 3 + 1;
        assertNull(admission.handshake(at("203.0.113.9")));
        assertEquals(ClientLimit.HANDSHAKES, admission.handshake(at("203.0.113.9")));
        nanos += 10 * SECOND;
        for (int i = 0; i < 3; i++) {
            assertNull(admission.handshake(null));
        }
        assertEquals(ClientLimit.HANDSHAKES, admission.handshake(null));
        paces("none", "none");
        assertNull(admission.handshake(null));
    }

    @Test
    void oneAddressDoesNotUseUpWhatThereIsForAll() {
        paces("10/s", "2/s");
        int refused = 0;
        for (int i = 0; i < 100; i++) {
            refused += admission.handshake(at("203.0.113.1")) == ClientLimit.HANDSHAKES_PER_ADDRESS ? 1 : 0;
        }
        assertEquals(98, refused);
        for (int i = 0; i < 4; i++) {
            assertNull(admission.handshake(at("203.0.113.2" + i)));
            assertNull(admission.handshake(at("127.0.0.1")));
        }
    }

    @Test
    void addressesThatWentQuietAreForgotten() {
        paces("none", "2/s");
        for (int i = 0; i < 30_000; i++) {
            assertNull(admission.handshake(at("10." + i / 65536 + "." + i / 256 % 256 + "." + i % 256)));
        }
        nanos += 2 * SECOND;
        assertNull(admission.handshake(at("203.0.113.1")));
        assertEquals(1, admission.remembered());
    }

    @Test
    void whoIsRememberedIsLimitedHoweverManyThereAre() {
        paces("none", "1/s");
        assertNull(admission.handshake(at("203.0.113.1")));
        for (int i = 0; i < 200_000; i++) {
            assertNull(admission.handshake(at("10." + i / 65536 + "." + i / 256 % 256 + "." + i % 256)));
        }
        assertEquals(ClientLimit.HANDSHAKES_PER_ADDRESS, admission.handshake(at("203.0.113.1")));
        int remembered = admission.remembered();
        assertNull(admission.handshake(at("203.0.113.2")));
        assertNull(admission.handshake(at("203.0.113.2")));
        assertEquals(remembered, admission.remembered());
    }

    @Test
    void countsRightWhenManyComeAtOnce() throws Exception {
        limit(0, 100, false);
        AtomicInteger inside = new AtomicInteger();
        Thread[] threads = new Thread[8];
        for (int t = 0; t < threads.length; t++) {
            threads[t] = new Thread(() -> {
                for (int i = 0; i < 1_000; i++) {
                    if (admission.enter(at("203.0.113.1")) == null) {
                        assertTrue(inside.incrementAndGet() <= 100);
                        if (i % 3 != 0) {
                            inside.decrementAndGet();
                            admission.leave(at("203.0.113.1"));
                        }
                    }
                }
            });
            threads[t].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(100, inside.get());
        assertEquals(ClientLimit.CONNECTIONS_PER_ADDRESS, admission.enter(at("203.0.113.1")));
    }
}
