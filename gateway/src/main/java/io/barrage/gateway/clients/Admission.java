package io.barrage.gateway.clients;

import io.barrage.gateway.config.Rate;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How many connections there are, of the node, of each address and of each user, and how fast they come. Thread-safe.
 *
 * <p>IPv6 addresses count by their first 64 bits, since whoever has one of those has them all. Connections are counted whether or
 * not there is a limit, so that one which comes with a reload knows them; loopback's are limited only where the rules say so.
 */
final class Admission {
    /** Addresses whose handshakes are remembered; above that the quiet ones are looked for, at most once a second. */
    private static final int MANY_ADDRESSES = 10_000;

    /** Most of them: beyond that, new ones are admitted unseen, by the node's rate alone. */
    private static final int MAX_ADDRESSES = 200_000;

    private static final long SWEEP_NANOS = 1_000_000_000L;

    private final Supplier<ClientRules> rules;
    private final LongSupplier ticker;
    private final AtomicInteger connections = new AtomicInteger();
    private final ConcurrentMap<Long, Integer> addresses = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Integer> users = new ConcurrentHashMap<>();
    private final AtomicLong handshakesUsed;
    private final ConcurrentMap<Long, Long> handshakesUsedBy = new ConcurrentHashMap<>();
    private final AtomicLong sweptNanos;

    /**
     * @param rules asked each time, since they can change
     * @param ticker the {@link System#nanoTime} clock
     */
    Admission(Supplier<ClientRules> rules, LongSupplier ticker) {
        this.rules = rules;
        this.ticker = ticker;
        long now = ticker.getAsLong();
        this.handshakesUsed = new AtomicLong(now);
        this.sweptNanos = new AtomicLong(now);
    }

    // ---------------------------------------------------------------- handshakes

    /** Whether one more handshake may be taken up now: null, or the limit that it is over. */
    @Nullable
    ClientLimit handshake(@Nullable SocketAddress address) {
        ClientRules now = rules.get();
        long nanos = ticker.getAsLong();
        // First, so that one address can't use up what there is for all.
        Long key = key(address);
        if (key != null
                && isLimited(address, now)
                && isTooFast(key, now.limits().handshakesPerAddress(), nanos)) {
            return ClientLimit.HANDSHAKES_PER_ADDRESS;
        }
        Rate rate = now.limits().handshakes();
        while (rate.isLimit()) {
            long used = handshakesUsed.get();
            if (Pace.waitNanos(rate, used, nanos) > 0) {
                return ClientLimit.HANDSHAKES;
            }
            if (handshakesUsed.compareAndSet(used, Pace.used(rate, used, nanos))) {
                break;
            }
        }
        return null;
    }

    private boolean isTooFast(Long key, Rate rate, long nanos) {
        if (!rate.isLimit()) {
            return false;
        }
        if (handshakesUsedBy.size() > MANY_ADDRESSES) {
            sweep(nanos);
            if (handshakesUsedBy.size() > MAX_ADDRESSES && !handshakesUsedBy.containsKey(key)) {
                return false;
            }
        }
        boolean[] tooFast = {false};
        handshakesUsedBy.compute(key, (ignored, used) -> {
            long before = used == null ? nanos : used;
            tooFast[0] = Pace.waitNanos(rate, before, nanos) > 0;
            return tooFast[0] ? used : (Long) Pace.used(rate, before, nanos);
        });
        return tooFast[0];
    }

    private void sweep(long nanos) {
        long swept = sweptNanos.get();
        if (nanos - swept >= SWEEP_NANOS && sweptNanos.compareAndSet(swept, nanos)) {
            handshakesUsedBy.values().removeIf(used -> used - nanos <= 0);
        }
    }

    // ---------------------------------------------------------------- connections

    /** Gives a connection its place: null, or the limit that it would be over, and then it has none. */
    @Nullable
    ClientLimit enter(@Nullable SocketAddress address) {
        ClientRules now = rules.get();
        int most = now.maxConnections();
        if (connections.incrementAndGet() > most && most > 0) {
            connections.decrementAndGet();
            return ClientLimit.CONNECTIONS;
        }
        Long key = key(address);
        int mostOfAddress = isLimited(address, now) ? now.limits().connectionsPerAddress() : 0;
        if (key != null && !isCounted(addresses, key, mostOfAddress)) {
            connections.decrementAndGet();
            return ClientLimit.CONNECTIONS_PER_ADDRESS;
        }
        return null;
    }

    /** Takes back the place that {@link #enter} gave. */
    void leave(@Nullable SocketAddress address) {
        connections.decrementAndGet();
        Long key = key(address);
        if (key != null) {
            discount(addresses, key);
        }
    }

    /** Counts one more connection of a user; false if it has as many as it may, and then it doesn't count. */
    boolean enterAs(String user) {
        return isCounted(users, user, rules.get().limits().connectionsPerUser());
    }

    /** Takes back what {@link #enterAs} counted. */
    void leaveAs(String user) {
        discount(users, user);
    }

    private static <K> boolean isCounted(ConcurrentMap<K, Integer> counts, K key, int most) {
        boolean[] counted = {true};
        counts.compute(key, (ignored, count) -> {
            int before = count == null ? 0 : count;
            if (most > 0 && before >= most) {
                counted[0] = false;
                return count;
            }
            return before + 1;
        });
        return counted[0];
    }

    private static <K> void discount(ConcurrentMap<K, Integer> counts, K key) {
        counts.computeIfPresent(key, (ignored, count) -> count == 1 ? null : (Integer) (count - 1));
    }

    private static boolean isLimited(@Nullable SocketAddress address, ClientRules rules) {
        InetAddress ip = ip(address);
        return rules.limits().countLoopback() || (ip != null && !ip.isLoopbackAddress());
    }

    private static @Nullable InetAddress ip(@Nullable SocketAddress address) {
        return address instanceof InetSocketAddress inet ? inet.getAddress() : null;
    }

    /** What an address counts as; null for one that isn't of the internet. */
    private static @Nullable Long key(@Nullable SocketAddress address) {
        InetAddress ip = ip(address);
        return ip == null ? null : key(ip);
    }

    private static Long key(InetAddress ip) {
        ByteBuffer bytes = ByteBuffer.wrap(ip.getAddress());
        // The prefix ::ffff is nobody's.
        return ip instanceof Inet4Address
                ? 0xffff_0000_0000L | Integer.toUnsignedLong(bytes.getInt())
                : bytes.getLong();
    }

    /** What is remembered of single addresses and users now. */
    int remembered() {
        return addresses.size() + users.size() + handshakesUsedBy.size();
    }
}
