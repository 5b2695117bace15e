package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.BarrageTarget;
import io.barrage.loadtest.target.Gap;
import io.barrage.loadtest.target.HostPort;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket server of which only the handshake matters: nothing is published to it. Immutable.
 *
 * @param name the name in reports
 * @param clients where it listens
 * @param path path and query of the handshake; {@code {n}} in it becomes the connection's topic
 * @param prefix what a delivery's payload starts with; empty if every data frame is one
 * @param readyPrefix what the frame starts with that says the connection stands; empty if the handshake's answer says so
 */
public record Doorstep(String name, InetSocketAddress clients, String path, String prefix, String readyPrefix)
        implements Target {

    /** Barrage, with connections that subscribe to nothing. */
    public static Doorstep of(BarrageTarget barrage) {
        return new Doorstep(
                barrage.name(),
                barrage.clients(),
                "/ws",
                new String(barrage.deliveryPrefix(), UTF_8),
                "{\"type\":\"welcome\",");
    }

    /**
     * Any server, by its URL: {@code ws://host:port/path?query}.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static Doorstep of(String url) {
        URI uri;
        try {
            uri = new URI(url.replace("{n}", "%7Bn%7D"));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("--url '" + url + "' is no URL: " + e.getReason(), e);
        }
        if (!"ws".equals(uri.getScheme()) || uri.getHost() == null) {
            throw new IllegalArgumentException("--url '" + url + "' is not ws://host:port/path");
        }
        String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        int port = uri.getPort() < 0 ? 80 : uri.getPort();
        return new Doorstep(
                url, HostPort.parse(uri.getHost() + ":" + port), (path + query).replace("%7Bn%7D", "{n}"), "", "");
    }

    @Override
    public InetSocketAddress backend() {
        throw onlyHandshakes();
    }

    @Override
    public String subscribePath(String topic) {
        return path.replace("{n}", topic);
    }

    @Override
    public byte[] deliveryPrefix() {
        return prefix.getBytes(UTF_8);
    }

    @Override
    public @Nullable Gap gap(String text) {
        return null;
    }

    @Override
    public byte[] publishHead(String topic, int dataBytes) {
        throw onlyHandshakes();
    }

    @Override
    public byte[] publishTail() {
        throw onlyHandshakes();
    }

    @Override
    public Answer answer(int status, ByteBuf body) {
        throw onlyHandshakes();
    }

    private static UnsupportedOperationException onlyHandshakes() {
        return new UnsupportedOperationException(
                "nothing is published to a server that is known by its handshake only");
    }
}
