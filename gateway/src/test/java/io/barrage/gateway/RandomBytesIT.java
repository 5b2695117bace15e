package io.barrage.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Bytes that no client would send, at both doors: the gateway lives, logs no bug of its own, loses no buffer and serves the
 * next.
 */
class RandomBytesIT {
    private static final int ROUNDS = 400;

    @Test
    void gatewaySurvivesNoise() throws Exception {
        long seed = System.nanoTime();
        System.out.println("RandomBytesIT seed " + seed);
        Random random = new Random(seed);
        try (GatewayUnderTest gateway = GatewayUnderTest.start("limits: {requestTimeout: 1s}");
                RawWebSocket witness = gateway.subscriber("demo:witness")) {
            for (int round = 0; round < ROUNDS; round++) {
                byte[] bytes =
                        switch (random.nextInt(6)) {
                            case 0 -> noise(random);
                            case 1 -> damaged(random, requests(random));
                            case 2 -> join(RawWebSocket.upgrade("?topic=demo:x&user=u" + round), noise(random));
                            case 3 -> join(RawWebSocket.upgrade("?topic=demo:x"), frames(random));
                            case 4 ->
                                join(
                                        RawWebSocket.upgrade("?topic=demo:x&batch=1", RawWebSocket.DEFLATE),
                                        deflatedFrames(random));
                            default ->
                                join(
                                        RawWebSocket.upgrade("?topic=demo:x&topic=demo:y"),
                                        damaged(random, frames(random)));
                        };
                boolean clients = random.nextInt(3) > 0;
                try (RawHttp http = clients ? gateway.clientsSocket() : gateway.backendSocket()) {
                    try {
                        http.send(bytes);
                        if (random.nextBoolean()) {
                            http.socket().shutdownOutput();
                            // To the end, however it comes.
                            http.socket().setSoTimeout(5_000);
                            http.in().readAllBytes();
                        }
                    } catch (IOException broken) {
                        // The gateway may end it whenever it likes.
                    }
                }
            }
            GatewayUnderTest.await(
                    "all are gone but the witness",
                    () -> gateway.metric("barrage_connections") == 1 && gateway.metric("barrage_subscriptions") == 1);
            gateway.publish("demo:witness", "\"still here\"");
            witness.expect("message");
        }
    }

    private static byte[] noise(Random random) {
        byte[] bytes = new byte[1 << random.nextInt(13)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] requests(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(6); i >= 0; i--) {
            String body = "{\"topic\":\"demo:x\",\"data\":" + random.nextInt() + "}\n";
            text.append(
                    switch (random.nextInt(5)) {
                        case 0 -> "GET /livez HTTP/1.1\nHost: localhost\n\n";
                        case 1 ->
                            "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "
                                    + body.length() + "\n\n" + body;
                        case 2 ->
                            "POST /v1/publish HTTP/1.1\nHost: localhost\nContent-Type: application/x-ndjson\n"
                                    + "Transfer-Encoding: chunked\n\n" + Integer.toHexString(body.length() + 1) + "\n"
                                    + body
                                    + "\n0\n\n";
                        case 3 -> "HEAD /client/barrage.js HTTP/1.1\nHost: localhost\nExpect: 100-continue\n\n";
                        default -> "GET /metrics HTTP/1.0\nConnection: keep-alive\nHost: localhost\n\n";
                    });
        }
        return text.toString().replace("\n", "\r\n").getBytes(UTF_8);
    }

    private static byte[] frames(Random random) {
        String[] texts = {
            "{\"type\":\"ping\",\"id\":1}",
            "{\"type\":\"subscribe\",\"topic\":\"demo:z\",\"since\":{\"epoch\":\"k\",\"offset\":1}}",
            "{\"type\":\"publish\",\"id\":2,\"topic\":\"demo:x\",\"data\":{\"a\":[1,2]}}",
            "{\"type\":\"unsubscribe\",\"topic\":\"demo:x\"}",
            "noise",
            "\u5f39\u5e55"
        };
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = random.nextInt(40); i >= 0; i--) {
            int first = random.nextInt(4) == 0 ? random.nextInt(256) : 0x81;
            out.writeBytes(RawWebSocket.frame(first, texts[random.nextInt(texts.length)]));
        }
        return out.toByteArray();
    }

    /** Frames that say that they are compressed: some are, some are damaged, some are noise. */
    private static byte[] deflatedFrames(Random random) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = random.nextInt(10); i >= 0; i--) {
            byte[] payload = RawWebSocket.deflated("{\"type\":\"ping\",\"x\":\"" + random.nextLong() + "\"}");
            int first = RawWebSocket.FIN | RawWebSocket.RSV1 | RawWebSocket.TEXT;
            switch (random.nextInt(6)) {
                case 0 -> out.writeBytes(RawWebSocket.frame(first, noise(random)));
                case 1 -> out.writeBytes(RawWebSocket.frame(first, damaged(random, payload)));
                case 2 -> out.writeBytes(RawWebSocket.frame(random.nextInt(256), payload));
                default -> out.writeBytes(RawWebSocket.frame(first, payload));
            }
        }
        return out.toByteArray();
    }

    private static byte[] damaged(Random random, byte[] bytes) {
        byte[] damaged = bytes.clone();
        for (int i = random.nextInt(4); i > 0 && damaged.length > 0; i--) {
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
        }
        return damaged;
    }

    private static byte[] join(String text, byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(text.replace("\n", "\r\n").getBytes(UTF_8));
        out.writeBytes(bytes);
        return out.toByteArray();
    }
}
