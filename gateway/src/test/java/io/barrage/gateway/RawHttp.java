package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.LinkedHashMap;
import java.util.Map;

/** A socket that says whatever it is told to, and reads HTTP answers with patience but not for ever. For one thread. */
final class RawHttp implements Closeable {
    private final Socket socket;
    private final InputStream in;

    RawHttp(int port) throws IOException {
        this(port, 0);
    }

    /** @param receiveBuffer bytes that the kernel takes while nobody reads; 0 for its default */
    RawHttp(int port, int receiveBuffer) throws IOException {
        socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setTcpNoDelay(true);
        socket.setSoTimeout((int) GatewayUnderTest.PATIENCE.toMillis());
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
    }

    /** An answer; header names in lower case, repeated ones joined. */
    record Answer(int status, Map<String, String> headers, String body) {
        String header(String name) {
            return headers.getOrDefault(name, "");
        }
    }

    /** Says it in one write; each {@code \n} becomes a line end of HTTP. */
    RawHttp say(String lines) throws IOException {
        return send(lines.replace("\n", "\r\n").getBytes(UTF_8));
    }

    RawHttp send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    /** A whole answer. */
    Answer answer() throws IOException {
        return answer(true);
    }

    /** An answer to HEAD. */
    Answer head() throws IOException {
        return answer(false);
    }

    private Answer answer(boolean withBody) throws IOException {
        Answer head = begin();
        int status = head.status();
        if (!withBody || status < 200 || status == 204 || status == 304) {
            return head;
        }
        String body;
        if (head.headers().containsKey("content-length")) {
            body = new String(read(Integer.parseInt(head.header("content-length"))), UTF_8);
        } else if (head.header("transfer-encoding").equals("chunked")) {
            StringBuilder all = new StringBuilder();
            for (String chunk = chunk(); !chunk.isEmpty(); chunk = chunk()) {
                all.append(chunk);
            }
            body = all.toString();
        } else {
            body = new String(in.readAllBytes(), UTF_8);
        }
        return new Answer(status, head.headers(), body);
    }

    /** An answer's head; its body follows. */
    Answer begin() throws IOException {
        String status = line();
        if (!status.startsWith("HTTP/1.1 ")) {
            throw new AssertionError("not a status line: " + status);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.merge(
                    line.substring(0, colon).toLowerCase(java.util.Locale.ROOT),
                    line.substring(colon + 1).strip(),
                    (one, more) -> one + ", " + more);
        }
        return new Answer(Integer.parseInt(status.substring(9, 12)), headers, "");
    }

    /** The next chunk of a chunked body; empty at its end. */
    String chunk() throws IOException {
        String chunk = new String(read(Integer.parseInt(line(), 16)), UTF_8);
        String end = line();
        if (!end.isEmpty()) {
            throw new AssertionError("text behind a chunk: " + end);
        }
        return chunk;
    }

    private byte[] read(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("ended after " + bytes.length + " of " + length + " bytes");
        }
        return bytes;
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("ended after " + line);
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(ISO_8859_1);
    }

    /** Whether the gateway has closed its side, orderly or not, with nothing before that. */
    boolean isEnded() throws IOException {
        try {
            int next = in.read();
            if (next >= 0) {
                throw new AssertionError(
                        "expected the end, found '" + (char) next + "' and " + in.available() + " bytes");
            }
            return true;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        } catch (java.net.SocketException e) {
            return true;
        }
    }

    Socket socket() {
        return socket;
    }

    InputStream in() {
        return in;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
