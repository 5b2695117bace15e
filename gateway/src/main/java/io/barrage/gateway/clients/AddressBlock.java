package io.barrage.gateway.clients;

import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Addresses that have their first bits in common, written {@code 10.0.0.0/8} or {@code 2001:db8::/32}. Immutable. */
final class AddressBlock {
    private static final Pattern FORM = Pattern.compile("([0-9a-fA-F.:]+)(?:/(\\d{1,3}))?");

    private final byte[] first;
    private final int bits;

    private AddressBlock(byte[] first, int bits) {
        this.first = first;
        this.bits = bits;
    }

    /**
     * Reads a block; one without {@code /} is a single address.
     *
     * @throws IllegalArgumentException if the text isn't one
     */
    static AddressBlock parse(String text) {
        Matcher form = FORM.matcher(text);
        InetAddress address = form.matches() ? address(form.group(1)) : null;
        if (address == null) {
            throw new IllegalArgumentException("not a block of addresses: " + text);
        }
        byte[] first = address.getAddress();
        int bits = form.group(2) == null ? first.length * 8 : Integer.parseInt(form.group(2));
        if (bits > first.length * 8) {
            throw new IllegalArgumentException("more bits than an address has: " + text);
        }
        return new AddressBlock(first, bits);
    }

    /** The address that a text stands for, without asking any name server; null if it is none. */
    static @Nullable InetAddress address(String text) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(text);
        if (bytes == null) {
            return null;
        }
        return of(bytes);
    }

    /**
     * An IPv4 address that is written as one of IPv6 ({@code ::ffff:10.0.0.1}) as what it is, and one of IPv6 without its scope;
     * the same object where there is nothing to change: a channel has it as long as its connection would have another.
     */
    static InetSocketAddress plain(InetSocketAddress peer) {
        InetAddress address = peer.getAddress();
        if (address instanceof Inet4Address) {
            return peer;
        }
        InetAddress plain = of(address.getAddress());
        boolean same = plain instanceof Inet6Address && address instanceof Inet6Address six && six.getScopeId() == 0;
        return same ? peer : new InetSocketAddress(plain, peer.getPort());
    }

    private static InetAddress of(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 bytes are an address", e);
        }
    }

    boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length != first.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> (bit & 7);
            if ((bytes[bit >> 3] & mask) != (first[bit >> 3] & mask)) {
                return false;
            }
        }
        return true;
    }
}
