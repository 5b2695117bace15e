package io.barrage.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.barrage.loadtest.target.Answer.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class TargetsTest {
    private static final InetSocketAddress CLIENTS = InetSocketAddress.createUnresolved("127.0.0.1", 8080);
    private static final InetSocketAddress BACKEND = InetSocketAddress.createUnresolved("127.0.0.1", 8081);
    private static final Target BARRAGE = TargetKind.BARRAGE.at(CLIENTS, BACKEND);
    private static final Target NCHAN = TargetKind.NCHAN.at(CLIENTS, BACKEND);

    private static final Target CENTRIFUGO = TargetKind.CENTRIFUGO.at(CLIENTS, BACKEND);

    private static String request(Target target, String topic, String data) {
        byte[] bytes = data.getBytes(UTF_8);
        return new String(target.publishHead(topic, bytes.length), UTF_8)
                + data
                + new String(target.publishTail(), UTF_8);
    }

    private static ByteBuf body(String text) {
        return Unpooled.copiedBuffer(text, UTF_8);
    }

    @ParameterizedTest
    @EnumSource
    void carriesItsNameAndAddresses(TargetKind kind) {
        Target target = kind.at(CLIENTS, BACKEND);
        assertEquals(kind.label(), target.name());
        assertEquals(CLIENTS, target.clients());
        assertEquals(BACKEND, target.backend());
    }

    @ParameterizedTest
    @EnumSource(names = {"BARRAGE", "UWEBSOCKETS", "NCHAN", "CENTRIFUGO", "NETTY_GROUP"})
    void announcesExactlyTheBodyThatItSends(TargetKind kind) {
        String request = request(kind.at(CLIENTS, BACKEND), "room:42", "{\"text\":\"猫 🐈\"}");
        int headers = request.indexOf("\r\n\r\n") + 4;
        int announced = Integer.parseInt(request.replaceAll("(?s).*content-length: (\\d+).*", "$1"));
        assertEquals(request.substring(headers).getBytes(UTF_8).length, announced);
    }

    @Test
    void barragePublishesOneTopicWithItsData() {
        assertEquals(
                "POST /v1/publish HTTP/1.1\r\nhost: 127.0.0.1:8081\r\ncontent-type: application/json\r\ncontent-length: 34\r\n\r\n"
                        + "{\"topic\":\"room:42\",\"data\":{\"a\":1}}",
                request(BARRAGE, "room:42", "{\"a\":1}"));
        assertEquals("/ws?topic=room:42", BARRAGE.subscribePath("room:42"));
        assertEquals("{\"type\":\"message\",", new String(BARRAGE.deliveryPrefix(), UTF_8));
    }

    @Test
    void barrageAnswersAreReadWithoutGuessing() {
        assertEquals(
                new Answer(Verdict.ACCEPTED, 9007199254740991L),
                BARRAGE.answer(200, body("{\"topic\":\"t\",\"epoch\":\"k3x9\",\"offset\":9007199254740991}")));
        assertEquals(new Answer(Verdict.SHED, 0), BARRAGE.answer(200, body("{\"topic\":\"t\",\"shed\":\"budget\"}")));
        assertEquals(new Answer(Verdict.REFUSED, 0), BARRAGE.answer(503, body("{\"code\":\"overloaded\"}")));
        assertEquals(new Answer(Verdict.REFUSED, 0), BARRAGE.answer(429, body("")));
    }

    @Test
    void barrageGapsAreLossUnlessHidden() {
        assertEquals(
                new Gap(20, 60, 41, "behind"),
                BARRAGE.gap(
                        "{\"type\":\"gap\",\"topic\":\"room:42\",\"from\":20,\"to\":60,\"count\":41,\"reason\":\"behind\"}"));
        assertNull(BARRAGE.gap("{\"type\":\"gap\",\"topic\":\"room:42\",\"count\":37,\"reason\":\"hidden\"}"));
        assertNull(BARRAGE.gap("{\"type\":\"online\",\"topic\":\"room:42\",\"count\":3}"));
        assertNull(BARRAGE.gap("{\"type\":\"gap\",broken"));
    }

    @Test
    void nchanTakesTheDataAsItIs() {
        assertEquals(
                "POST /pub?id=room:42 HTTP/1.1\r\nhost: 127.0.0.1:8081\r\ncontent-length: 2\r\n\r\n{}",
                request(NCHAN, "room:42", "{}"));
        assertEquals("/sub?id=room:42", NCHAN.subscribePath("room:42"));
        assertEquals(0, NCHAN.deliveryPrefix().length);
        assertEquals("", NCHAN.readyPrefix());
    }

    @Test
    void nchanAcceptsWithOrWithoutListeners() {
        assertEquals(Verdict.ACCEPTED, NCHAN.answer(201, body("")).verdict());
        assertEquals(Verdict.ACCEPTED, NCHAN.answer(202, body("")).verdict());
        assertEquals(Verdict.REFUSED, NCHAN.answer(204, body("")).verdict());
        assertEquals(Verdict.REFUSED, NCHAN.answer(507, body("")).verdict());
    }

    @Test
    void uWebSocketsAcceptsWithNoWordAboutListeners() {
        Target uWebSockets = TargetKind.UWEBSOCKETS.at(CLIENTS, BACKEND);
        assertEquals(Verdict.ACCEPTED, uWebSockets.answer(200, body("")).verdict());
    }

    @Test
    void centrifugoTakesTheDataInItsEnvelope() {
        assertEquals(
                "POST /api/publish HTTP/1.1\r\nhost: 127.0.0.1:8081\r\ncontent-type: application/json\r\n"
                        + "x-api-key: loadtest\r\ncontent-length: 37\r\n\r\n{\"channel\":\"bench:42\",\"data\":{\"a\":1}}",
                request(CENTRIFUGO, "bench:42", "{\"a\":1}"));
    }

    @Test
    void centrifugosErrorsComeWithStatus200() {
        assertEquals(
                Verdict.ACCEPTED,
                CENTRIFUGO.answer(200, body("{\"result\":{}}")).verdict());
        assertEquals(
                Verdict.REFUSED,
                CENTRIFUGO
                        .answer(200, body("{\"error\":{\"code\":102,\"message\":\"unknown channel\"}}"))
                        .verdict());
        assertEquals(Verdict.REFUSED, CENTRIFUGO.answer(401, body("")).verdict());
        assertEquals(Verdict.REFUSED, CENTRIFUGO.answer(200, body("")).verdict());
    }

    @Test
    void natsTakesTheDataBehindItsLength() {
        Target nats = TargetKind.NATS.at(CLIENTS, BACKEND);
        assertEquals("PUB bench:42 7\r\n{\"a\":1}\r\n", request(nats, "bench:42", "{\"a\":1}"));
        assertEquals(Publishing.NATS, nats.publishing());
        assertEquals("", nats.readyPath());
    }

    @Test
    void aStreamOfBarrageTakesALineForEach() {
        Target stream = TargetKind.BARRAGE_NDJSON.at(CLIENTS, BACKEND);
        assertEquals("{\"topic\":\"bench:42\",\"data\":{\"a\":1}}\n", request(stream, "bench:42", "{\"a\":1}"));
        assertEquals(
                new Answer(Verdict.ACCEPTED, 7),
                stream.answer(200, body("{\"line\":3,\"topic\":\"t\",\"epoch\":\"e\",\"offset\":7}")));
        assertEquals(
                Verdict.REFUSED,
                stream.answer(200, body("{\"line\":3,\"error\":{\"code\":\"overloaded\"}}"))
                        .verdict());
    }
}
