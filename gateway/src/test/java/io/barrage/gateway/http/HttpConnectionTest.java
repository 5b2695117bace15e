package io.barrage.gateway.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What no socket brings for certain: hundreds of requests in one read, or an end at a certain moment. */
class HttpConnectionTest {
    /** One is being answered, and 128 wait behind it. */
    private static final int HELD = 129;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Deque<Exchange> unanswered = new ArrayDeque<>();

    @BeforeEach
    void connect() {
        HttpConnection.Door door = exchange -> BodyReader.none(() -> {
            if (exchange.path().equals("/switch")) {
                takeOver(exchange);
            } else {
                unanswered.add(exchange);
            }
        });
        add(channel, door, Duration.ofHours(1));
    }

    private static void add(EmbeddedChannel channel, HttpConnection.Door door, Duration requestTimeout) {
        HttpConnection.add(channel.pipeline(), door, new HttpLimits(1 << 16, requestTimeout, Duration.ofHours(1)));
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    /** To a protocol that reads nothing at first. */
    private void takeOver(Exchange exchange) {
        exchange.takeOver(Map.of("upgrade", "silence"), () -> {}, () -> {
            channel.config().setAutoRead(false);
            channel.flush();
        });
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    }

    private void receive(int requests) {
        receive(get("/a").repeat(requests));
    }

    private void receive(String text) {
        receive(channel, text);
    }

    private static void receive(EmbeddedChannel channel, String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, US_ASCII));
    }

    /** Answers each request that comes up, in order; returns what was written, answer by answer. */
    private List<String> answerAll() {
        int answered = 0;
        while (!unanswered.isEmpty()) {
            unanswered.remove().respond(Response.text("answer " + answered++ + "\n"));
            channel.runPendingTasks();
        }
        return new ArrayList<>(Arrays.asList(written(channel).split("(?<=answer \\d{1,3}\n)")));
    }

    private static String written(EmbeddedChannel channel) {
        StringBuilder written = new StringBuilder();
        for (ByteBuf bytes = channel.readOutbound(); bytes != null; bytes = channel.readOutbound()) {
            written.append(bytes.toString(US_ASCII));
            bytes.release();
        }
        return written.toString();
    }

    @Test
    void asManyRequestsAsMayWaitAreAllAnsweredAndTheConnectionStays() {
        receive(HELD);
        assertEquals(1, unanswered.size(), "one at a time");
        List<String> answers = answerAll();
        assertEquals(HELD, answers.size());
        for (int i = 0; i < HELD; i++) {
            assertTrue(answers.get(i).endsWith("answer " + i + "\n"), answers.get(i));
            assertFalse(answers.get(i).contains("connection: close"), answers.get(i));
        }
        assertTrue(channel.isOpen());
        receive(1);
        assertEquals(1, answerAll().size());
    }

    @Test
    void requestsBeyondThoseAreDroppedAndTheLastAnswerSaysSo() {
        receive(HELD + 1);
        List<String> answers = answerAll();
        assertEquals(HELD, answers.size());
        for (int i = 0; i < HELD; i++) {
            assertTrue(answers.get(i).endsWith("answer " + i + "\n"), answers.get(i));
            assertEquals(i == HELD - 1, answers.get(i).contains("connection: close"), answers.get(i));
        }
        assertFalse(channel.isOpen());
    }

    @Test
    void whoTakesTheConnectionOverSaysWhetherItIsRead() {
        receive(get("/a") + get("/switch"));
        answerAll();
        assertTrue(channel.isOpen());
        assertNull(channel.pipeline().get(HttpConnection.class));
        assertFalse(channel.config().isAutoRead());
    }

    @Test
    void connectionIsNotTakenOverWithRequestsBehind() {
        receive(get("/a") + get("/switch") + get("/a"));
        answerAll();
        assertFalse(channel.isOpen());
        assertTrue(unanswered.isEmpty());
    }

    @Test
    void readerHearsOfAnEndThatComesBeforeItsAnswer() {
        List<String> told = new ArrayList<>();
        Deque<Exchange> open = new ArrayDeque<>();
        HttpConnection.Door door = exchange -> new BodyReader() {
            @Override
            public void content(ByteBuf bytes) {
                open.add(exchange);
            }

            @Override
            public void end() {
                told.add("end");
            }

            @Override
            public void abort() {
                told.add("abort");
            }
        };
        // Such a body and its end are one object.
        String post = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1\n";
        EmbeddedChannel answered = new EmbeddedChannel();
        add(answered, door, Duration.ofHours(1));
        receive(answered, post);
        open.remove().respond(Response.text("answer"));
        answered.finishAndReleaseAll();
        assertEquals(List.of("end"), told);

        EmbeddedChannel left = new EmbeddedChannel();
        add(left, door, Duration.ofHours(1));
        receive(left, post);
        assertEquals(List.of("end", "end"), told);
        left.finishAndReleaseAll();
        assertEquals(List.of("end", "end", "abort"), told);
    }

    @ParameterizedTest
    @ValueSource(strings = {"G", "GET /b HTTP/1.1\r\n", "GET /b HTTP/1.1\r\nHost: h\r\n"})
    void halfARequestBehindAWholeOneHasTheTimeOfRequests(String begun) {
        EmbeddedChannel hasty = new EmbeddedChannel();
        add(hasty, exchange -> BodyReader.none(() -> unanswered.add(exchange)), Duration.ZERO);
        receive(hasty, get("/a") + get("/a") + begun);
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            unanswered.remove().respond(Response.text("answer"));
            hasty.runPendingTasks();
            answers.add(written(hasty));
            assertTrue(answers.get(i).startsWith("HTTP/1.1 200 "), answers.get(i));
        }
        assertFalse(answers.get(0).contains("HTTP/1.1 408 "), answers.get(0));
        assertTrue(answers.get(1).contains("HTTP/1.1 408 "), answers.get(1));
        assertFalse(hasty.isOpen());
        hasty.finishAndReleaseAll();
    }

    @Test
    void halfARequestThatIsNotReadOnHasNoSuchHurry() {
        EmbeddedChannel stuck = new EmbeddedChannel(new ChannelOutboundHandlerAdapter() {
            @Override
            public void flush(ChannelHandlerContext ctx) {
                // The client takes nothing.
            }
        });
        stuck.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 1));
        add(
                stuck,
                exchange -> BodyReader.none(
                        () -> exchange.respondWithStream("text/plain").end()),
                Duration.ZERO);
        receive(stuck, get("/a") + "GET /b");
        assertFalse(stuck.config().isAutoRead());
        stuck.runPendingTasks();
        assertTrue(stuck.isOpen());
        stuck.finishAndReleaseAll();
    }
}
