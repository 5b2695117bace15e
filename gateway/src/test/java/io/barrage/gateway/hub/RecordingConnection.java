package io.barrage.gateway.hub;

import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A connection whose client is a list: it decodes what it is written, and its socket takes, stalls or breaks as the test says.
 *
 * <p>Confined to its event loop.
 */
final class RecordingConnection extends Connection {
    /** First byte of a final text frame that is compressed. */
    private static final int DEFLATED = 0xc1;

    private static final JsonMapper JSON = new JsonMapper();

    private static final AtomicLong NUMBERS = new AtomicLong(1_000_000);

    /** A frame that the client has got. The fields come before the data, so that the first of a name is the frame's own. */
    record Frame(String text) {
        JsonNode json() {
            return JSON.readTree(text);
        }

        String type() {
            return word("type");
        }

        String topic() {
            return word("topic");
        }

        private String word(String field) {
            int start = text.indexOf('"' + field + "\":\"") + field.length() + 4;
            return text.substring(start, text.indexOf('"', start));
        }

        long number(String field) {
            int start = text.indexOf('"' + field + "\":") + field.length() + 3;
            int end = start;
            while (Character.isDigit(text.charAt(end))) {
                end++;
            }
            return Long.parseLong(text, start, end, 10);
        }
    }

    /** What the client has got, in order; the elements of a {@code messages} frame as the messages that they are. */
    final List<Frame> received = new ArrayList<>();

    /** How many of the frames were compressed. */
    int deflatedFrames;

    /** For each write of the hub's, how many frames it had. */
    final List<Integer> writes = new ArrayList<>();

    /** Called before each write's outcome is known; the test's hands inside of a drain. */
    Consumer<RecordingConnection> onWrite = ignored -> {};

    /** Whether the transport fails when it is sent a message of its own. */
    boolean failsToSend;

    private final ArrayDeque<ByteBuf> held = new ArrayDeque<>();
    private final long number;
    private String user;
    /** What the socket has taken of a run whose rest comes with {@link #write}. */
    private ByteBuf begun = Unpooled.EMPTY_BUFFER;

    private int attempts;
    private int stalls;
    private CloseCode closeCode;
    private boolean broken;
    private boolean ended;

    RecordingConnection(HubShard shard) {
        this(shard, NUMBERS.incrementAndGet(), null);
    }

    RecordingConnection(HubShard shard, Encoding encoding) {
        this(shard);
        encoding(encoding);
    }

    RecordingConnection(HubShard shard, long number, String user) {
        super(shard);
        this.number = number;
        this.user = user;
    }

    // ---------------------------------------------------------------- the test's side

    /** Its client, who had no name, has proved to be somebody. */
    void become(String name) {
        user = name;
        shard().userChanged(this);
    }

    /** The next {@code writes} writes stay in flight. */
    RecordingConnection stallNext(int writes) {
        stalls += writes;
        return this;
    }

    /** From now on the socket takes everything, but for what it holds already. */
    void stallNoMore() {
        stalls = 0;
    }

    /** Whether nothing reaches the client any more, though the hub may have it still. */
    boolean isLost() {
        return broken || ended || closeCode != null;
    }

    /** The socket breaks: from now on writes are lost, and the transport has yet to find out. */
    void breakSocket() {
        broken = true;
        releaseHeld();
    }

    /** The socket takes all that was held; the transport tells the hub. */
    void drain() {
        if (isLost()) {
            return;
        }
        for (ByteBuf run = held.poll(); run != null; run = held.poll()) {
            receive(run);
        }
        if (isInFlight()) {
            drained();
        }
    }

    /** The transport tells the hub that the connection has ended. */
    void end() {
        ended = true;
        releaseHeld();
        gone();
    }

    boolean holds() {
        return !held.isEmpty();
    }

    boolean hasEnded() {
        return ended;
    }

    /** The code that the hub closed it with, or null. */
    CloseCode closeCode() {
        return closeCode;
    }

    List<Long> offsets(String topic) {
        return received.stream()
                .filter(frame -> frame.type().equals("message") && frame.topic().equals(topic))
                .map(frame -> frame.number("offset"))
                .toList();
    }

    List<Frame> frames(String type) {
        return received.stream().filter(frame -> frame.type().equals(type)).toList();
    }

    /** The types of all frames in order, without what a subscription begins with. */
    List<String> types() {
        return received.stream()
                .map(Frame::type)
                .filter(type -> !type.equals("subscribed"))
                .toList();
    }

    // ---------------------------------------------------------------- the hub's side

    @Override
    public String id() {
        return "test-" + number;
    }

    @Override
    public long number() {
        return number;
    }

    @Override
    public String info() {
        return user == null ? null : "{\"name\":\"" + user + "\"}";
    }

    @Override
    public String user() {
        return user;
    }

    @Override
    public SocketAddress address() {
        return InetSocketAddress.createUnresolved("client.test", 1);
    }

    @Override
    public String transport() {
        return "recording";
    }

    @Override
    protected long heldBytes() {
        return held.stream().mapToLong(ByteBuf::readableBytes).sum();
    }

    /** Takes all, nothing and a part, in turns. */
    @Override
    protected int writeNow(ByteBuf from, int index, int length) {
        if (isInFlight()) {
            throw new AssertionError("a second run while one is in flight");
        }
        attempts++;
        if (isLost() || holds() || attempts % 3 == 2 || (stalls > 0 && attempts % 3 == 1)) {
            return 0;
        }
        if (attempts % 3 == 0) {
            begun = Unpooled.buffer(length / 2).writeBytes(from, index, length / 2);
            return length / 2;
        }
        onWrite.accept(this);
        if (isLost()) {
            return 0;
        }
        ByteBuf run = Unpooled.buffer(length).writeBytes(from, index, length);
        writes.add(count(run));
        receive(run);
        return length;
    }

    @Override
    protected Write write(ByteBuf rest) {
        ByteBuf run = Unpooled.wrappedBuffer(begun, rest);
        begun = Unpooled.EMPTY_BUFFER;
        try {
            onWrite.accept(this);
        } catch (RuntimeException | Error e) {
            run.release();
            throw e;
        }
        if (isLost()) {
            run.release();
            return Write.CLOSED;
        }
        if (isInFlight()) {
            run.release();
            throw new AssertionError("a second run while one is in flight");
        }
        writes.add(count(run));
        if (stalls > 0) {
            stalls--;
            held.add(run);
            return Write.IN_FLIGHT;
        }
        receive(run);
        return Write.WRITTEN;
    }

    @Override
    public void send(ServerFrame frame) {
        send(WebSocketFrames.text(frame));
    }

    @Override
    public void send(TopicValue value) {
        send(WebSocketFrames.frame(WebSocketFrames.Opcode.TEXT, value.json()));
    }

    @Override
    public void giveBack(byte[] frame) {
        if (failsToSend) {
            throw new IllegalStateException("the test's bug");
        }
        send(frame);
    }

    private void send(byte[] frame) {
        if (isLost()) {
            return;
        }
        ByteBuf bytes = Unpooled.wrappedBuffer(frame);
        if (held.isEmpty()) {
            receive(bytes);
        } else {
            held.add(bytes);
        }
    }

    @Override
    public void close(CloseCode code, String reason) {
        if (closeCode == null) {
            closeCode = code;
            releaseHeld();
        }
    }

    private void releaseHeld() {
        held.forEach(ByteBuf::release);
        held.clear();
    }

    /** Takes {@code bytes}. */
    private void receive(ByteBuf bytes) {
        try {
            received.addAll(decode(bytes));
        } finally {
            bytes.release();
        }
    }

    /** How many frames there are; borrows {@code bytes}. */
    private static int count(ByteBuf bytes) {
        int frames = 0;
        for (ByteBuf in = bytes.duplicate(); in.isReadable(); frames++) {
            in.skipBytes(payloadLength(in));
        }
        return frames;
    }

    /** Reads the frames; borrows {@code bytes}. */
    private List<Frame> decode(ByteBuf bytes) {
        List<Frame> frames = new ArrayList<>();
        for (ByteBuf in = bytes.duplicate(); in.isReadable(); ) {
            boolean deflated = in.getUnsignedByte(in.readerIndex()) == DEFLATED;
            byte[] payload = new byte[payloadLength(in)];
            in.readBytes(payload);
            Frame frame = new Frame(new String(deflated ? inflate(payload) : payload, StandardCharsets.UTF_8));
            if (deflated) {
                deflatedFrames++;
            }
            if (frame.type().equals("messages")) {
                String start = "{\"type\":\"message\",\"topic\":\"" + frame.topic() + "\",";
                for (JsonNode element : frame.json().get("messages")) {
                    frames.add(new Frame(start + element.toString().substring(1)));
                }
            } else {
                frames.add(frame);
            }
        }
        return frames;
    }

    /** As RFC 7692 section 7.2.2 says. */
    private static byte[] inflate(byte[] payload) {
        Inflater inflater = new Inflater(true);
        try {
            byte[] whole = Arrays.copyOf(payload, payload.length + 4);
            whole[payload.length + 2] = (byte) 0xff;
            whole[payload.length + 3] = (byte) 0xff;
            inflater.setInput(whole);
            byte[] text = new byte[1 << 20];
            return Arrays.copyOf(text, inflater.inflate(text));
        } catch (DataFormatException e) {
            throw new AssertionError(e);
        } finally {
            inflater.end();
        }
    }

    /** Reads the header of a frame, which must be whole, unmasked, final text. */
    private static int payloadLength(ByteBuf in) {
        int first = in.readUnsignedByte();
        if (first != 0x81 && first != DEFLATED) {
            throw new AssertionError("not a final text frame: " + Integer.toHexString(first));
        }
        int length = in.readUnsignedByte();
        if (length == 126) {
            return in.readUnsignedShort();
        }
        return length == 127 ? Math.toIntExact(in.readLong()) : length;
    }
}
