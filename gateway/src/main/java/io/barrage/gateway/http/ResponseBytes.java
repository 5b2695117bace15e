package io.barrage.gateway.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Answers as HTTP/1.1 has them on the wire (RFC 9112). A whole one is one buffer and so one write: of a publish without
 * subscribers, objects for its answer and a write for head and body each were a tenth of its cost.
 *
 * <p>Stateless. All buffers are the caller's.
 */
final class ResponseBytes {
    /** Of a head with the fields that nearly all have. */
    private static final int USUAL_HEAD_BYTES = 128;

    private static final byte[] CONTINUE = ascii("HTTP/1.1 100 Continue\r\n\r\n");
    private static final byte[] LAST_CHUNK = ascii("0\r\n\r\n");
    private static final byte[] LINE_END = ascii("\r\n");

    private ResponseBytes() {}

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * An answer as a whole.
     *
     * @param withBody false for HEAD: all but the body
     * @param connection the {@code Connection} field; null without
     */
    static ByteBuf of(ByteBufAllocator allocator, Response response, boolean withBody, @Nullable String connection) {
        byte[] body = response.body();
        ByteBuf bytes =
                allocator.ioBuffer(USUAL_HEAD_BYTES + lengthOf(response.headers()) + (withBody ? body.length : 0));
        begin(bytes, response.status());
        field(bytes, "content-type", response.contentType());
        if (!response.status().equals(HttpResponseStatus.NOT_MODIFIED)) {
            field(bytes, "content-length", Integer.toString(body.length));
        }
        for (Map.Entry<String, String> more : response.headers().entrySet()) {
            field(bytes, more.getKey(), more.getValue());
        }
        if (connection != null) {
            field(bytes, "connection", connection);
        }
        bytes.writeBytes(LINE_END);
        return withBody ? bytes.writeBytes(body) : bytes;
    }

    /**
     * The head of an answer whose length isn't known yet.
     *
     * @param chunked whether its end will be told; otherwise it is that of the connection
     */
    static ByteBuf headOfStream(
            ByteBufAllocator allocator, String contentType, boolean chunked, @Nullable String connection) {
        ByteBuf bytes = allocator.ioBuffer(USUAL_HEAD_BYTES);
        begin(bytes, HttpResponseStatus.OK);
        field(bytes, "content-type", contentType);
        if (chunked) {
            field(bytes, "transfer-encoding", "chunked");
        }
        if (connection != null) {
            field(bytes, "connection", connection);
        }
        return bytes.writeBytes(LINE_END);
    }

    /** The head of an answer that ends HTTP: with these fields and no others. */
    static ByteBuf headOfSwitch(ByteBufAllocator allocator, Map<String, String> fields) {
        ByteBuf bytes = allocator.ioBuffer(USUAL_HEAD_BYTES + lengthOf(fields));
        begin(bytes, HttpResponseStatus.SWITCHING_PROTOCOLS);
        fields.forEach((name, value) -> field(bytes, name, value));
        return bytes.writeBytes(LINE_END);
    }

    private static int lengthOf(Map<String, String> fields) {
        int length = 0;
        for (Map.Entry<String, String> field : fields.entrySet()) {
            length += field.getKey().length() + field.getValue().length() + 4;
        }
        return length;
    }

    private static void begin(ByteBuf bytes, HttpResponseStatus status) {
        ByteBufUtil.writeAscii(bytes, "HTTP/1.1 ");
        ByteBufUtil.writeAscii(bytes, status.codeAsText());
        bytes.writeByte(' ');
        ByteBufUtil.writeAscii(bytes, status.reasonPhrase());
        bytes.writeBytes(LINE_END);
    }

    private static void field(ByteBuf bytes, String name, String value) {
        ByteBufUtil.writeAscii(bytes, name);
        bytes.writeByte(':').writeByte(' ');
        ByteBufUtil.writeAscii(bytes, value);
        bytes.writeBytes(LINE_END);
    }

    /** What stands before a chunk of {@code length} bytes; behind it stands {@link #lineEnd}. */
    static ByteBuf beforeChunk(int length) {
        return Unpooled.wrappedBuffer(ascii(Integer.toHexString(length) + "\r\n"));
    }

    static ByteBuf lineEnd() {
        return Unpooled.wrappedBuffer(LINE_END);
    }

    static ByteBuf lastChunk() {
        return Unpooled.wrappedBuffer(LAST_CHUNK);
    }

    /** The answer before the answer, to one who waits to be told to send its body. */
    static ByteBuf goOn() {
        return Unpooled.wrappedBuffer(CONTINUE);
    }
}
