package io.barrage.loadtest.naive;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler.HandshakeComplete;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/** Puts a connection into the groups of the topics that its URL names. Confined to its event loop. */
@SuppressWarnings("FutureReturnValueIgnored") // as in the tutorials: whoever closes meanwhile just gets nothing
final class NaiveSubscribeHandler extends SimpleChannelInboundHandler<WebSocketFrame> {
    private final ConcurrentHashMap<String, NaiveTopic> topics;

    NaiveSubscribeHandler(ConcurrentHashMap<String, NaiveTopic> topics) {
        this.topics = topics;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof HandshakeComplete handshake) {
            ctx.writeAndFlush(new TextWebSocketFrame("{\"type\":\"welcome\",\"connection\":\""
                    + ctx.channel().id().asShortText() + "\",\"protocol\":\"barrage.v1\"}"));
            new QueryStringDecoder(handshake.requestUri())
                    .parameters()
                    .getOrDefault("topic", List.of())
                    .forEach(topic ->
                            topics.computeIfAbsent(topic, NaiveTopic::new).join(ctx.channel()));
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
        // The topics of the URL are all that it offers.
    }
}
