package io.barrage.loadtest.naive;

import io.netty.channel.Channel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.util.concurrent.GlobalEventExecutor;

/** A topic of the naive gateway: a channel group and a counter. Thread-safe: its lock gives messages one order. */
@SuppressWarnings("FutureReturnValueIgnored") // as in the tutorials: whoever closes meanwhile just gets nothing
final class NaiveTopic {
    static final String EPOCH = "naive";

    private final String name;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private long offset;

    NaiveTopic(String name) {
        this.name = name;
    }

    synchronized void join(Channel channel) {
        channels.add(channel);
        channel.writeAndFlush(new TextWebSocketFrame("{\"type\":\"subscribed\",\"topic\":\"" + name + "\",\"epoch\":\""
                + EPOCH + "\",\"offset\":" + offset + "}"));
    }

    /** @param data JSON */
    synchronized long publish(String data) {
        offset++;
        channels.writeAndFlush(new TextWebSocketFrame(
                "{\"type\":\"message\",\"topic\":\"" + name + "\",\"offset\":" + offset + ",\"data\":" + data + "}"));
        return offset;
    }
}
