package io.barrage.loadtest.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.danmaku.DanmakuXml;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.naive.NaiveServer;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ReplayIT {
    private static final int COMMENTS = 42;
    private static final int SUBSCRIBERS = 5;

    private static ReplayPlan plan(Target target) throws IOException {
        try (InputStream in = DanmakuXml.class.getResourceAsStream("/sample-danmaku.xml")) {
            List<DanmakuComment> comments = DanmakuXml.read(in, "sample");
            assertEquals(COMMENTS, comments.size());
            return new ReplayPlan(
                    target,
                    "demo:stage",
                    comments,
                    100,
                    SUBSCRIBERS,
                    8,
                    Duration.ofMillis(500),
                    Duration.ofSeconds(20),
                    OptionalLong.of(ProcessHandle.current().pid()),
                    false);
        }
    }

    private static ReplayResult replay(Target target) throws Exception {
        return Replay.run(plan(target), ProgressLine.toStandardError());
    }

    private static ReplayResult replay(FaultyGateway.Fault fault) throws Exception {
        try (FaultyGateway gateway = new FaultyGateway(fault)) {
            return replay(gateway.target());
        }
    }

    @Test
    void findsNothingWrongWithAGatewayThatDeliversEverything() throws Exception {
        try (NaiveServer server = new NaiveServer(0, 0, 2)) {
            ReplayResult result = replay(TargetKind.NETTY_GROUP.at(server.clients(), server.backend()));
            assertEquals(COMMENTS, result.published());
            assertEquals(COMMENTS * SUBSCRIBERS, result.delivered());
            assertEquals(0, result.lost() + result.repeated() + result.disordered() + result.foreign());
            assertEquals(COMMENTS * SUBSCRIBERS, result.fromDue().count());
            assertEquals(COMMENTS * SUBSCRIBERS, result.fromSent().count());
            assertTrue(result.clean(false));
            assertEquals(COMMENTS, result.late().count());
            assertTrue(result.serverCores() >= 0 && result.generator().lag().count() > 0, result.toString());
        }
    }

    @Test
    void findsTheMessagesThatWereDropped() throws Exception {
        ReplayResult result = replay((offset, message) -> offset % 10 == 0 ? List.of() : List.of(message));
        assertEquals(4 * SUBSCRIBERS, result.lost());
        assertEquals(38 * SUBSCRIBERS, result.delivered());
        assertEquals(Map.of(), result.told());
        assertFalse(result.clean(true));
    }

    @Test
    void tellsAdmittedLossFromSilentLoss() throws Exception {
        ReplayResult result = replay((offset, message) -> switch ((int) offset) {
            case 10, 11, 12 -> List.of();
            case 13 ->
                List.of(
                        "{\"type\":\"gap\",\"topic\":\"t\",\"from\":10,\"to\":11,\"count\":2,\"reason\":\"behind\"}",
                        message);
            default -> List.of(message);
        });
        assertEquals(3 * SUBSCRIBERS, result.lost());
        assertEquals(Map.of("behind", 2L * SUBSCRIBERS), result.told());
        assertFalse(result.clean(true), "one was lost silently");
    }

    @Test
    void acceptsAdmittedLossOnlyIfAskedTo() throws Exception {
        ReplayResult result = replay((offset, message) -> offset == 42
                ? List.of("{\"type\":\"gap\",\"topic\":\"t\",\"from\":42,\"to\":42,\"count\":1,\"reason\":\"expired\"}")
                : List.of(message));
        assertEquals(SUBSCRIBERS, result.lost());
        assertFalse(result.clean(false));
        assertTrue(result.clean(true));
    }

    @Test
    void findsRepeatedMessages() throws Exception {
        ReplayResult result = replay((offset, message) -> offset == 7 ? List.of(message, message) : List.of(message));
        assertEquals(SUBSCRIBERS, result.repeated());
        assertEquals(COMMENTS * SUBSCRIBERS, result.delivered());
        assertFalse(result.clean(false));
    }

    @Test
    void findsMessagesOutOfOrder() throws Exception {
        List<String> held = new ArrayList<>();
        ReplayResult result = replay((offset, message) -> {
            if (offset == 20) {
                held.add(message);
                return List.of();
            }
            return offset == 21 ? List.of(message, held.get(0)) : List.of(message);
        });
        assertEquals(SUBSCRIBERS, result.disordered());
        assertEquals(0, result.lost());
        assertFalse(result.clean(false));
    }

    @Test
    void doesNotMissWhatWasRefusedOrShed() throws Exception {
        ReplayResult result = replay(new FaultyGateway.Fault() {
            @Override
            public List<String> frames(long offset, String message) {
                return offset <= 3 ? List.of() : List.of(message);
            }

            @Override
            public FullHttpResponse answer(long offset) {
                return offset == 1
                        ? FaultyGateway.json(HttpResponseStatus.SERVICE_UNAVAILABLE, "{\"code\":\"overloaded\"}")
                        : offset <= 3
                                ? FaultyGateway.json(HttpResponseStatus.OK, "{\"topic\":\"t\",\"shed\":\"budget\"}")
                                : FaultyGateway.Fault.super.answer(offset);
            }
        });
        assertEquals(1, result.refused());
        assertEquals(2, result.shed());
        assertEquals(39, result.published());
        assertEquals(39 * SUBSCRIBERS, result.delivered());
        assertEquals(0, result.lost());
        assertTrue(result.notes().get(0).contains("overloaded"), result.notes().toString());
    }

    @Test
    void countsMessagesOfOthersApart() throws Exception {
        ReplayResult result = replay((offset, message) -> offset == 1
                ? List.of(
                        "{\"type\":\"message\",\"topic\":\"t\",\"offset\":999,\"data\":{\"text\":\"me too\"}}", message)
                : List.of(message));
        assertEquals(SUBSCRIBERS, result.foreign());
        assertTrue(result.clean(false));
    }

    @Test
    void saysThatNobodyListens() throws Exception {
        // Bound but not listening: nobody else can take the port meanwhile, and connecting to it is refused.
        try (Socket held = new Socket()) {
            held.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            InetSocketAddress closed = (InetSocketAddress) held.getLocalSocketAddress();
            ReplayPlan plan = plan(TargetKind.BARRAGE.at(closed, closed));
            String message = assertThrows(LoadException.class, () -> Replay.run(plan, ProgressLine.toStandardError()))
                    .getMessage();
            assertTrue(message.startsWith("cannot publish: "), message);
        }
    }
}
