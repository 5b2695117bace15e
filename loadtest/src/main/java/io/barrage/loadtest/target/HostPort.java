package io.barrage.loadtest.target;

import java.net.InetSocketAddress;

/** Addresses as {@code host:port}. Thread-safe: no state. */
public final class HostPort {
    private HostPort() {}

    /**
     * Reads {@code host:port} or {@code [v6]:port} and resolves the host.
     *
     * @throws IllegalArgumentException if it is neither, or the host is unknown
     */
    public static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("'" + text + "' is not host:port");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is not host:port", e);
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("'" + text + "': ports go from 1 to 65535");
        }
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("'" + text + "': no such host");
        }
        return address;
    }

    /** Writes an address as a Host header needs it. */
    public static String format(InetSocketAddress address) {
        String host = address.getHostString();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
