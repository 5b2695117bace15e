package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.NatsTarget;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The ways to publish that are no HTTP request each. */
final class OutletsTest {
    private static final InetSocketAddress HERE = InetSocketAddress.createUnresolved("127.0.0.1", 8081);

    /** One connection of a kind, and what its listener was told. */
    private static final class Kit implements AutoCloseable {
        final List<String> events = new ArrayList<>();
        final Target target;
        final Outlet outlet;
        final EmbeddedChannel channel;

        Kit(TargetKind kind) {
            target = kind.at(HERE, HERE);
            outlet = Outlet.of(target, new PublishConnection.Listener() {
                @Override
                public void onAnswer(Publication publication, Answer answer, String detail) {
                    events.add(publication.sequence() + " " + answer.verdict() + " " + answer.offset() + detail);
                }

                @Override
                public void onBroken(int unanswered, String why) {
                    events.add("broken " + unanswered + ": " + why);
                }
            });
            channel = new EmbeddedChannel(outlet.handlers());
        }

        void publish(int number) {
            outlet.publish(
                    new Publication(0, number, 0, 0),
                    target.publishHead("t", 2),
                    "{}".getBytes(UTF_8),
                    target.publishTail());
        }

        String sent() {
            StringBuilder all = new StringBuilder();
            for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
                all.append(part.toString(UTF_8));
                part.release();
            }
            return all.toString();
        }

        void receive(String text) {
            channel.writeInbound(Unpooled.copiedBuffer(text, UTF_8));
        }

        @Override
        public void close() {
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void asksNatsOnceForAllThatOneWriteHolds() {
        try (Kit nats = new Kit(TargetKind.NATS)) {
            assertEquals(NatsTarget.CONNECT, nats.sent());
            nats.publish(0);
            nats.publish(1);
            assertEquals("", nats.sent());
            nats.outlet.flush();
            assertEquals("PUB t 2\r\n{}\r\nPUB t 2\r\n{}\r\nPING\r\n", nats.sent());
            nats.outlet.flush();
            assertEquals("", nats.sent(), "nothing waits");
            nats.publish(2);
            nats.outlet.flush();
            assertEquals("PUB t 2\r\n{}\r\nPING\r\n", nats.sent());

            nats.receive("INFO {}\r\nPO");
            assertEquals(List.of(), nats.events);
            nats.receive("NG\r\n");
            assertEquals(List.of("0 ACCEPTED 0", "1 ACCEPTED 0"), nats.events);
            assertEquals(1, nats.outlet.unanswered());
            nats.receive("PONG\r\n");
            assertEquals("2 ACCEPTED 0", nats.events.get(2));
        }
    }

    @Test
    void answersThePingsOfNats() {
        try (Kit nats = new Kit(TargetKind.NATS)) {
            nats.sent();
            nats.receive("PING\r\n");
            assertEquals("PONG\r\n", nats.sent());
        }
    }

    @Test
    void tellsWhatNatsComplainsAbout() {
        try (Kit nats = new Kit(TargetKind.NATS)) {
            nats.publish(0);
            nats.outlet.flush();
            nats.receive("-ERR 'Maximum Payload Violation'\r\n");
            assertEquals(List.of("broken 1: the server said -ERR 'Maximum Payload Violation'"), nats.events);
        }
    }

    @Test
    void takesNoPongThatNobodyAskedFor() {
        try (Kit nats = new Kit(TargetKind.NATS)) {
            nats.receive("PONG\r\n");
            assertEquals(List.of("broken 0: a PONG to no PING"), nats.events);
        }
    }

    @Test
    void putsAllLinesOfOneWriteIntoAChunk() {
        try (Kit stream = new Kit(TargetKind.BARRAGE_NDJSON)) {
            assertEquals("""
                    POST /v1/publish HTTP/1.1
                    host: 127.0.0.1:8081
                    content-type: application/x-ndjson
                    transfer-encoding: chunked

                    """.replace("\n", "\r\n"), stream.sent());
            stream.publish(0);
            stream.publish(1);
            stream.outlet.flush();
            String line = "{\"topic\":\"t\",\"data\":{}}\n";
            assertEquals(Integer.toHexString(2 * line.length()) + "\r\n" + line + line + "\r\n", stream.sent());
        }
    }

    @Test
    void readsTheLinesOfAnAnswerHoweverTheyAreCut() {
        String answers = """
                {"line":1,"topic":"t","epoch":"e","offset":5}
                {"line":2,"error":{"code":"overloaded"}}
                {"line":3,"topic":"t","shed":"budget"}
                """;
        for (int cut = 0; cut <= answers.length(); cut++) {
            try (Kit stream = new Kit(TargetKind.BARRAGE_NDJSON)) {
                for (int i = 0; i < 3; i++) {
                    stream.publish(i);
                }
                stream.outlet.flush();
                stream.sent();
                stream.receive("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                for (String part : List.of(answers.substring(0, cut), answers.substring(cut))) {
                    if (!part.isEmpty()) {
                        stream.receive(Integer.toHexString(part.length()) + "\r\n" + part + "\r\n");
                    }
                }
                assertEquals(
                        List.of(
                                "0 ACCEPTED 5",
                                "1 REFUSED 0{\"line\":2,\"error\":{\"code\":\"overloaded\"}}",
                                "2 SHED 0{\"line\":3,\"topic\":\"t\",\"shed\":\"budget\"}"),
                        stream.events,
                        "cut at " + cut);
            }
        }
    }

    @Test
    void tellsThatAStreamWasRefused() {
        try (Kit stream = new Kit(TargetKind.BARRAGE_NDJSON)) {
            stream.publish(0);
            stream.outlet.flush();
            stream.receive("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
            assertEquals(List.of("broken 1: the gateway answered 401 Unauthorized"), stream.events);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NATS", "BARRAGE_NDJSON"})
    void tellsOnceHowManyWereLeftWithoutAnswer(TargetKind kind) {
        try (Kit kit = new Kit(kind)) {
            kit.publish(0);
            kit.outlet.flush();
            kit.publish(1);
            kit.channel.close().syncUninterruptibly();
            kit.publish(2);
            assertEquals(List.of("broken 2: the gateway closed the connection"), kit.events);
        }
    }
}
