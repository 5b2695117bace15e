package io.barrage.loadtest.target;

import io.netty.buffer.ByteBuf;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Barrage, used in another way than one message a frame and one publish a request. Immutable. */
interface BarrageVariant extends Target {
    /** What isn't another way. */
    BarrageTarget barrage();

    @Override
    default String name() {
        return barrage().name();
    }

    @Override
    default InetSocketAddress clients() {
        return barrage().clients();
    }

    @Override
    default InetSocketAddress backend() {
        return barrage().backend();
    }

    @Override
    default String subscribePath(String topic) {
        return barrage().subscribePath(topic);
    }

    @Override
    default byte[] deliveryPrefix() {
        return barrage().deliveryPrefix();
    }

    @Override
    default String readyPrefix() {
        return barrage().readyPrefix();
    }

    @Override
    default @Nullable Gap gap(String text) {
        return barrage().gap(text);
    }

    @Override
    default byte[] publishHead(String topic, int dataBytes) {
        return barrage().publishHead(topic, dataBytes);
    }

    @Override
    default byte[] publishTail() {
        return barrage().publishTail();
    }

    @Override
    default Answer answer(int status, ByteBuf body) {
        return barrage().answer(status, body);
    }
}
