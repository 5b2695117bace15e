package io.barrage.gateway.clients;

import io.netty.handler.codec.http.HttpHeaders;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds whom a request comes from where proxies stand in between. Immutable.
 *
 * <p>Each proxy adds the address that it was called from at the end of a header field, and what stands before that anybody may have
 * written. So the field is read from its end, as long as those that wrote it are trusted: the first address that isn't a trusted
 * proxy's is the client's.
 */
public final class Forwarding {
    /** Address and port, with what RFC 7239 puts around them. */
    private static final Pattern NODE = Pattern.compile(
            "\"?(?:\\[([0-9a-fA-F:.%]+)\\]|([0-9.]+)|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\\d{1,5}))?\"?");

    /** No proxy in between. */
    public static final Forwarding NONE = new Forwarding(List.of(), ForwardedHeader.X_FORWARDED_FOR);

    /** Longer than an address with a port can be. */
    private static final int MAX_LENGTH = 64;

    private final List<AddressBlock> trusted;
    private final ForwardedHeader header;

    private Forwarding(List<AddressBlock> trusted, ForwardedHeader header) {
        this.trusted = List.copyOf(trusted);
        this.header = header;
    }

    /**
     * The way to the listener for clients.
     *
     * @throws IllegalArgumentException if a trusted proxy isn't a block of addresses
     */
    public static Forwarding of(ClientsConfig config) {
        return new Forwarding(
                config.trustedProxies().stream().map(AddressBlock::parse).toList(), config.proxyHeader());
    }

    /** Whom a request comes from that {@code peer} has sent; its port is 0 where that isn't known. */
    @Nullable
    SocketAddress client(@Nullable SocketAddress peer, HttpHeaders headers) {
        if (!(peer instanceof InetSocketAddress inet) || inet.getAddress() == null) {
            return peer;
        }
        InetSocketAddress found = AddressBlock.plain(inet);
        if (!isTrusted(found.getAddress())) {
            return found;
        }
        List<String> nodes = nodes(headers.getAll(header.toString()));
        for (int i = nodes.size() - 1; i >= 0; i--) {
            InetSocketAddress next = parse(nodes.get(i));
            if (next == null) {
                // A trusted proxy doesn't say whom it speaks for ("unknown"): what stands before that is anybody's.
                return found;
            }
            found = next;
            if (!isTrusted(next.getAddress())) {
                return found;
            }
        }
        return found;
    }

    private boolean isTrusted(@Nullable InetAddress address) {
        return address != null && trusted.stream().anyMatch(block -> block.contains(address));
    }

    /** The addresses in a field, those of several lines together, as they are written. */
    private List<String> nodes(List<String> lines) {
        List<String> nodes = new ArrayList<>();
        for (String line : lines) {
            for (String element : line.split(",", -1)) {
                nodes.add(header == ForwardedHeader.FORWARDED ? forwardedFor(element) : element.strip());
            }
        }
        return nodes;
    }

    /** The {@code for} of an element of RFC 7239; empty without one. */
    private static String forwardedFor(String element) {
        for (String pair : element.split(";", -1)) {
            String stripped = pair.strip();
            if (stripped.toLowerCase(Locale.ROOT).startsWith("for=")) {
                return stripped.substring("for=".length()).strip();
            }
        }
        return "";
    }

    private static @Nullable InetSocketAddress parse(String node) {
        if (node.length() > MAX_LENGTH) {
            return null;
        }
        Matcher form = NODE.matcher(node);
        if (!form.matches()) {
            return null;
        }
        String text = form.group(1) != null ? form.group(1) : form.group(2) != null ? form.group(2) : form.group(3);
        InetAddress address = AddressBlock.address(text);
        int port = form.group(4) == null ? 0 : Integer.parseInt(form.group(4));
        return address == null || port > 65_535 ? null : new InetSocketAddress(address, port);
    }
}
