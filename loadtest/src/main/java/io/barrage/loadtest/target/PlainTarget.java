package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.Answer.Verdict;
import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A gateway with a publisher at {@code /pub?id=} and a subscriber at {@code /sub?id=}: Nchan inside nginx, or the uWebSockets
 * server of this tool. Immutable.
 *
 * <p>It delivers the published bytes as they are, or in an envelope, and nothing else: every data frame is a delivery. A
 * subscription stands with the handshake, and answers carry no offset.
 *
 * @param clients its listener for subscribers
 * @param backend its listener for publishers
 */
public record PlainTarget(String name, InetSocketAddress clients, InetSocketAddress backend) implements Target {
    @Override
    public String subscribePath(String topic) {
        return "/sub?id=" + topic;
    }

    @Override
    public byte[] deliveryPrefix() {
        return new byte[0];
    }

    @Override
    public String readyPrefix() {
        return "";
    }

    @Override
    public @Nullable Gap gap(String text) {
        return null;
    }

    @Override
    public byte[] publishHead(String topic, int dataBytes) {
        return ("POST /pub?id=" + topic + " HTTP/1.1\r\nhost: " + HostPort.format(backend) + "\r\ncontent-length: "
                        + dataBytes + "\r\n\r\n")
                .getBytes(UTF_8);
    }

    @Override
    public byte[] publishTail() {
        return new byte[0];
    }

    /** Nchan's 201: somebody was there; its 202: nobody was; 200: of a server that doesn't say. All were published. */
    @Override
    public Answer answer(int status, ByteBuf body) {
        return new Answer(status >= 200 && status <= 202 ? Verdict.ACCEPTED : Verdict.REFUSED, 0);
    }
}
