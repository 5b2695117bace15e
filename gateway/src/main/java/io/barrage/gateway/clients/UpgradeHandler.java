package io.barrage.gateway.clients;

import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.ProtocolException;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.concurrent.FastThreadLocal;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Makes WebSocket connections of HTTP requests (RFC 6455 section 4.2). Only what isn't an upgrade, or comes from a foreign
 * page, is refused in HTTP, since scripts in browsers can't see such answers; all else is told in frames.
 *
 * <p>Thread-safe.
 */
final class UpgradeHandler {
    static final String PROTOCOL = "barrage.v1";

    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    /** Each loop's, which a digest leaves as it found it: to make one is more work than to use it. */
    private static final FastThreadLocal<MessageDigest> SHA_1 = new FastThreadLocal<>() {
        @Override
        protected MessageDigest initialValue() throws NoSuchAlgorithmException {
            return MessageDigest.getInstance("SHA-1");
        }
    };

    private static final int KEY_BYTES = 16;
    private static final int MAX_RETRY_SECONDS = 5;

    private final ClientsDoor.Context context;
    private final Origins origins;

    UpgradeHandler(ClientsDoor.Context context, Origins origins) {
        this.context = context;
        this.origins = origins;
    }

    BodyReader open(Exchange exchange) {
        SocketAddress address =
                context.rules().forwarding().client(exchange.channel().remoteAddress(), exchange.headers());
        ClientLimit over = context.admission().handshake(address);
        if (over != null) {
            return refuse(exchange, over);
        }
        try {
            return upgrade(exchange, address);
        } catch (ProtocolException e) {
            context.metrics().upgradeRefused(e.code());
            throw e;
        }
    }

    private BodyReader upgrade(Exchange exchange, @Nullable SocketAddress address) {
        HttpHeaders headers = exchange.headers();
        if (!headers.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
                || !headers.containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true)) {
            return upgradeRequired(
                    exchange, "/ws speaks WebSocket: connect with new WebSocket(\"ws://...\"), not with plain HTTP");
        }
        if (!"13".equals(headers.get(HttpHeaderNames.SEC_WEBSOCKET_VERSION))) {
            return upgradeRequired(exchange, "the WebSocket version is 13 (RFC 6455)");
        }
        if (!exchange.request().protocolVersion().isKeepAliveDefault()) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "a WebSocket upgrade is HTTP/1.1, not 1.0");
        }
        if (HttpUtil.getContentLength(exchange.request(), 0L) > 0
                || HttpUtil.isTransferEncodingChunked(exchange.request())) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "a WebSocket upgrade has no body");
        }
        String key = headers.get(HttpHeaderNames.SEC_WEBSOCKET_KEY);
        if (!isKey(key) || headers.getAll(HttpHeaderNames.SEC_WEBSOCKET_KEY).size() > 1) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "Sec-WebSocket-Key is 16 bytes in Base64");
        }
        if (!origins.allows(headers)) {
            throw new ProtocolException(ErrorCode.FORBIDDEN, "pages of this origin may not connect");
        }
        String protocol = protocol(headers);
        String deflate = DeflateOffer.answer(headers.getAll(HttpHeaderNames.SEC_WEBSOCKET_EXTENSIONS));
        String extension = context.rules().compression() ? deflate : null;
        return BodyReader.none(() -> accept(exchange, address, key, protocol, extension));
    }

    /** Flood admission: in HTTP and before any work, since the work is what there is too much of. */
    private BodyReader refuse(Exchange exchange, ClientLimit limit) {
        context.metrics().limited(limit);
        context.metrics().upgradeRefused(ErrorCode.OVERLOADED);
        // Apart, so that they don't all come back in one moment.
        int seconds = 1 + ThreadLocalRandom.current().nextInt(MAX_RETRY_SECONDS);
        return BodyReader.none(() -> exchange.respond(Problem.of(
                        ErrorCode.OVERLOADED,
                        limit == ClientLimit.HANDSHAKES
                                ? "more connections are coming than the gateway takes up at a time: try again"
                                : "more connections are coming from this address than the gateway takes up at a time:"
                                        + " try again")
                .with("retry-after", Integer.toString(seconds))));
    }

    private BodyReader upgradeRequired(Exchange exchange, String detail) {
        context.metrics().upgradeRefused(ErrorCode.UPGRADE_REQUIRED);
        return BodyReader.none(() -> exchange.respond(Problem.of(ErrorCode.UPGRADE_REQUIRED, detail)
                .with("upgrade", "websocket")
                .with("connection", "upgrade")
                .with("sec-websocket-version", "13")));
    }

    private static boolean isKey(@Nullable String key) {
        try {
            return key != null && Base64.getDecoder().decode(key).length == KEY_BYTES;
        } catch (IllegalArgumentException ignored) {
            return false;
        }
    }

    /** The subprotocols that are offered, in order. */
    static List<String> offeredProtocols(HttpHeaders headers) {
        List<String> offered = new ArrayList<>();
        for (String field : headers.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL)) {
            for (String name : field.split(",", -1)) {
                offered.add(name.strip());
            }
        }
        return offered;
    }

    /** The subprotocol to echo, null if none was offered. */
    private static @Nullable String protocol(HttpHeaders headers) {
        List<String> offered = offeredProtocols(headers);
        if (offered.isEmpty()) {
            return null;
        }
        if (!offered.contains(PROTOCOL)) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, "the subprotocol is " + PROTOCOL + ", or none");
        }
        return PROTOCOL;
    }

    private void accept(
            Exchange exchange,
            @Nullable SocketAddress address,
            String key,
            @Nullable String protocol,
            @Nullable String extension) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("upgrade", "websocket");
        fields.put("connection", "upgrade");
        fields.put("sec-websocket-accept", acceptOf(key));
        if (protocol != null) {
            fields.put("sec-websocket-protocol", protocol);
        }
        if (extension != null) {
            fields.put("sec-websocket-extensions", extension);
        }
        Channel channel = exchange.channel();
        WsConnection connection = new WsConnection(
                context, channel, context.shards().apply(channel.eventLoop()), address, extension != null);
        exchange.takeOver(fields, () -> connection.addTo(channel.pipeline()), () -> connection.begin(exchange));
    }

    /** The answer to a key (RFC 6455 section 4.2.2, 5.4). */
    static String acceptOf(String key) {
        byte[] hash = SHA_1.get().digest((key + GUID).getBytes(StandardCharsets.US_ASCII));
        return Base64.getEncoder().encodeToString(hash);
    }
}
