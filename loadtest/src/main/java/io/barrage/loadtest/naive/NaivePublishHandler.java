package io.barrage.loadtest.naive;

import static io.netty.handler.codec.http.HttpResponseStatus.BAD_REQUEST;
import static io.netty.handler.codec.http.HttpResponseStatus.NOT_FOUND;
import static io.netty.handler.codec.http.HttpResponseStatus.OK;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Publishes what is posted to {@code /v1/publish}; answers {@code /readyz}. Confined to its event loop. */
@SuppressWarnings("FutureReturnValueIgnored") // as in the tutorials: whoever closes meanwhile just gets nothing
final class NaivePublishHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final JsonMapper JSON = new JsonMapper();

    private final ConcurrentHashMap<String, NaiveTopic> topics;

    NaivePublishHandler(ConcurrentHashMap<String, NaiveTopic> topics) {
        this.topics = topics;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
        if (request.uri().equals("/readyz")) {
            answer(ctx, OK, "{\"ready\":true}");
        } else if (!request.uri().equals("/v1/publish") || !request.method().equals(HttpMethod.POST)) {
            answer(ctx, NOT_FOUND, "{\"code\":\"not_found\"}");
        } else {
            publish(ctx, request.content().toString(UTF_8));
        }
    }

    private void publish(ChannelHandlerContext ctx, String body) {
        JsonNode message;
        try {
            message = JSON.readTree(body);
        } catch (JacksonException e) {
            answer(ctx, BAD_REQUEST, "{\"code\":\"bad_request\"}");
            return;
        }
        String name = message.path("topic").asString("");
        if (name.isEmpty() || !message.has("data")) {
            answer(ctx, BAD_REQUEST, "{\"code\":\"bad_request\"}");
            return;
        }
        long offset = topics.computeIfAbsent(name, NaiveTopic::new)
                .publish(message.get("data").toString());
        answer(
                ctx,
                OK,
                "{\"topic\":\"" + name + "\",\"epoch\":\"" + NaiveTopic.EPOCH + "\",\"offset\":" + offset + "}");
    }

    private static void answer(ChannelHandlerContext ctx, HttpResponseStatus status, String body) {
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.copiedBuffer(body, UTF_8));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
                .setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
        ctx.writeAndFlush(response);
    }
}
