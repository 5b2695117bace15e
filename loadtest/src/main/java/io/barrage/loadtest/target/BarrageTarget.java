package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.target.Answer.Verdict;
import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A gateway that speaks {@code barrage.v1}: Barrage itself, and the naive baseline that speaks a part of it. Immutable.
 *
 * @param name the name in reports
 * @param clients the clients' listener
 * @param backend the backend's listener
 */
public record BarrageTarget(String name, InetSocketAddress clients, InetSocketAddress backend) implements Target {
    // The wire format puts "type" first and uses no white space, so the first bytes tell a message from all other
    // frames.
    private static final byte[] MESSAGE = "{\"type\":\"message\",".getBytes(UTF_8);
    private static final String GAP = "{\"type\":\"gap\",";
    private static final byte[] TAIL = "}".getBytes(UTF_8);
    private static final byte[] SHED = "\"shed\":".getBytes(UTF_8);
    private static final byte[] OFFSET = "\"offset\":".getBytes(UTF_8);
    private static final JsonMapper JSON = new JsonMapper();

    @Override
    public String subscribePath(String topic) {
        return "/ws?topic=" + topic;
    }

    @Override
    public byte[] deliveryPrefix() {
        return MESSAGE.clone();
    }

    @Override
    public String readyPrefix() {
        return "{\"type\":\"subscribed\",";
    }

    @Override
    public @Nullable Gap gap(String text) {
        if (!text.startsWith(GAP)) {
            return null;
        }
        try {
            JsonNode gap = JSON.readTree(text);
            String reason = gap.path("reason").asString("unknown");
            // Hidden messages never had an offset: their publisher was told, and nobody owes them to a subscriber.
            return reason.equals("hidden")
                    ? null
                    : new Gap(
                            gap.path("from").asLong(0),
                            gap.path("to").asLong(0),
                            gap.path("count").asLong(0),
                            reason);
        } catch (JacksonException ignored) {
            return null; // the run notices the loss itself
        }
    }

    @Override
    public byte[] publishHead(String topic, int dataBytes) {
        return publishHead(topic, "", dataBytes);
    }

    /** The same with further fields, such as {@code ,"priority":"high"}. */
    public byte[] publishHead(String topic, String fields, int dataBytes) {
        String body = "{\"topic\":\"" + topic + "\"" + fields + ",\"data\":";
        return ("POST /v1/publish HTTP/1.1\r\nhost: " + HostPort.format(backend)
                        + "\r\ncontent-type: application/json\r\ncontent-length: "
                        + (body.length() + dataBytes + TAIL.length) + "\r\n\r\n" + body)
                .getBytes(UTF_8);
    }

    @Override
    public byte[] publishTail() {
        return TAIL.clone();
    }

    @Override
    public Answer answer(int status, ByteBuf body) {
        if (status != 200) {
            return new Answer(Verdict.REFUSED, 0);
        }
        if (Bytes.indexOf(body, SHED) >= 0) {
            return new Answer(Verdict.SHED, 0);
        }
        int at = Bytes.indexOf(body, OFFSET);
        return new Answer(Verdict.ACCEPTED, at < 0 ? 0 : Bytes.decimal(body, at + OFFSET.length));
    }
}
