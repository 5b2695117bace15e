package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.Answer.Verdict;
import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A NATS server: subscribers speak its protocol through a WebSocket, the publisher over TCP. Immutable.
 *
 * @param clients its WebSocket listener
 * @param backend its listener for plain clients
 */
public record NatsTarget(String name, InetSocketAddress clients, InetSocketAddress backend) implements Target {
    private static final Records RECORDS = new NatsRecords();
    private static final byte[] TAIL = "\r\n".getBytes(UTF_8);

    /** What a client says first: no answer to each command, and no message of its own back. */
    public static final String CONNECT =
            "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"lang\":\"java\",\"version\":\"0\",\"protocol\":1}\r\n";

    public static final String PING = "PING\r\n";
    public static final String PONG = "PONG\r\n";

    @Override
    public String subscribePath(String topic) {
        return "/";
    }

    @Override
    public String hello(String topic) {
        return CONNECT + "SUB " + topic + " 1\r\n" + PING;
    }

    @Override
    public byte[] deliveryPrefix() {
        return "MSG ".getBytes(UTF_8);
    }

    @Override
    public Records records(String topic) {
        return RECORDS;
    }

    /** The server works through a client's commands in order, so the answer to the ping says that the subscription stands. */
    @Override
    public String readyPrefix() {
        return PONG;
    }

    @Override
    public @Nullable String reply(String record) {
        return record.equals(PING) ? PONG : null;
    }

    @Override
    public boolean saysBinary() {
        return true;
    }

    @Override
    public @Nullable Gap gap(String text) {
        return null;
    }

    @Override
    public Publishing publishing() {
        return Publishing.NATS;
    }

    @Override
    public byte[] publishHead(String topic, int dataBytes) {
        return ("PUB " + topic + " " + dataBytes + "\r\n").getBytes(UTF_8);
    }

    @Override
    public byte[] publishTail() {
        return TAIL.clone();
    }

    /** The pong behind a publish says that the server has taken it; an {@code -ERR} ends the connection. */
    @Override
    public Answer answer(int status, ByteBuf body) {
        return new Answer(Verdict.ACCEPTED, 0);
    }

    /** It speaks no HTTP: it is ready when it listens. */
    @Override
    public String readyPath() {
        return "";
    }
}
