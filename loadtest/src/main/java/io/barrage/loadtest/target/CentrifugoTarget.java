package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.Answer.Verdict;
import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Centrifugo, by its bidirectional JSON protocol and its HTTP API. Immutable.
 *
 * <p>The client says {@code connect} and {@code subscribe}; a frame of the server holds one or more replies, a line each. An
 * empty reply is a ping, which wants an empty command back.
 *
 * @param clients its listener for subscribers
 * @param backend its internal listener, which has the API
 */
public record CentrifugoTarget(String name, InetSocketAddress clients, InetSocketAddress backend) implements Target {
    private static final byte[] TAIL = "}".getBytes(UTF_8);
    private static final byte[] ERROR = "\"error\":".getBytes(UTF_8);
    private static final byte[] RESULT = "\"result\":".getBytes(UTF_8);
    private static final String PING = "{}";

    @Override
    public String subscribePath(String topic) {
        return "/connection/websocket";
    }

    @Override
    public String hello(String topic) {
        return "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"" + topic + "\"}}";
    }

    @Override
    public byte[] deliveryPrefix() {
        return "{\"push\":{\"channel\":".getBytes(UTF_8);
    }

    @Override
    public Records records(String topic) {
        return new LineRecords(("{\"push\":{\"channel\":\"" + topic + "\",\"pub\":{").getBytes(UTF_8));
    }

    @Override
    public String readyPrefix() {
        return "{\"id\":2,\"subscribe\":";
    }

    @Override
    public @Nullable String reply(String record) {
        return record.strip().equals(PING) ? PING : null; // in a frame with others a newline stands behind it
    }

    @Override
    public @Nullable Gap gap(String text) {
        return null;
    }

    /** Go's HTTP server answers a connection's request before it reads the next, however many came with it. */
    @Override
    public int connectionsPerTopic() {
        return 8;
    }

    @Override
    public byte[] publishHead(String topic, int dataBytes) {
        String body = "{\"channel\":\"" + topic + "\",\"data\":";
        return ("POST /api/publish HTTP/1.1\r\nhost: " + HostPort.format(backend)
                        + "\r\ncontent-type: application/json\r\nx-api-key: loadtest\r\ncontent-length: "
                        + (body.length() + dataBytes + TAIL.length) + "\r\n\r\n" + body)
                .getBytes(UTF_8);
    }

    @Override
    public byte[] publishTail() {
        return TAIL.clone();
    }

    /** 200 with a {@code result}; errors of the API come with 200 too. */
    @Override
    public Answer answer(int status, ByteBuf body) {
        boolean accepted = status == 200 && Bytes.indexOf(body, RESULT) >= 0 && Bytes.indexOf(body, ERROR) < 0;
        return new Answer(accepted ? Verdict.ACCEPTED : Verdict.REFUSED, 0);
    }

    @Override
    public String readyPath() {
        return "/health";
    }
}
