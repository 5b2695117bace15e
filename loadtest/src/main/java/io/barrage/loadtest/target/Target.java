package io.barrage.loadtest.target;

import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A gateway to measure: how to subscribe, which frames count as a delivery, how to publish. Immutable.
 *
 * <p>All that differs between gateways is here; the load itself is the same for each, byte for byte where protocols allow.
 */
public interface Target {
    /** The name in reports, as the command line writes it. */
    String name();

    /** Where subscribers connect. */
    InetSocketAddress clients();

    /** Where publishes go. */
    InetSocketAddress backend();

    /** Path and query of the WebSocket handshake that subscribes to {@code topic}. */
    String subscribePath(String topic);

    /** What a subscriber says behind the handshake to subscribe; empty if the handshake said it all. */
    default String hello(String topic) {
        return "";
    }

    /** How a connection's payloads hold records; null if every frame is one, which {@link #deliveryPrefix} tells from others. */
    default @Nullable Records records(String topic) {
        return null;
    }

    /** What a subscriber has to answer to a record that is no delivery, such as a ping; null if nothing. */
    default @Nullable String reply(String record) {
        return null;
    }

    /** Whether what a subscriber says goes into binary frames instead of text. */
    default boolean saysBinary() {
        return false;
    }

    /** Further headers of the handshake. */
    default Map<String, String> handshakeHeaders() {
        return Map.of();
    }

    /** What a frame's payload starts with if it delivers one message; empty if every data frame does. */
    byte[] deliveryPrefix();

    /** What the record starts with that says the subscription stands; empty if the handshake's answer says so. */
    String readyPrefix();

    /** The loss that {@code text}, a frame that is no delivery, admits; null if it is another frame. */
    @Nullable
    Gap gap(String text);

    default Publishing publishing() {
        return Publishing.HTTP;
    }

    /**
     * Over how many connections the publishes of one topic go, where several may be in flight. With more than one, nobody can
     * promise their order.
     */
    default int connectionsPerTopic() {
        return 1;
    }

    /**
     * The bytes of a publish before its data: with HTTP, headers included.
     *
     * @param dataBytes the length of the data that will follow
     */
    byte[] publishHead(String topic, int dataBytes);

    /** The bytes of a publish after its data. */
    byte[] publishTail();

    /** Reads the answer to a publish; borrows the body. */
    Answer answer(int status, ByteBuf body);

    /** Path on the backend's port that answers 200 once the gateway serves; empty if it serves once it listens. */
    default String readyPath() {
        return "/readyz";
    }
}
