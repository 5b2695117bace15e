package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.testkit.HookBackend;
import io.barrage.gateway.testkit.Requirements;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The docs' backends for hooks, with the docs' configuration: what they check, and what they answer. */
@Timeout(60)
class HookExamplesIT {
    private static final Path EXAMPLES =
            Path.of("..", "docs", "examples", "hooks").toAbsolutePath().normalize();

    /** A backend as a process. */
    private static final class Example implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;
        private final int port;

        Example(String program, String file) throws IOException {
            ProcessBuilder builder = new ProcessBuilder(
                            Requirements.command(program).toString(),
                            EXAMPLES.resolve(file).toString())
                    .redirectErrorStream(true);
            builder.environment().put("BARRAGE_HOOKS_SECRET", HookBackend.SECRET);
            builder.environment().put("PORT", "0");
            process = builder.start();
            output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            port = Integer.parseInt(GatewayUnderTest.find("listening on (\\d+)", String.valueOf(output.readLine())));
        }

        @Override
        public void close() throws IOException {
            process.destroy();
            try {
                assertTrue(process.waitFor(20, TimeUnit.SECONDS), "doesn't end");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            output.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"node,backend.mjs", "python3,backend.py"})
    void decidesForTheGateway(String program, String file) throws Exception {
        try (Example example = new Example(program, file)) {
            assertEquals(401, post(example.port, "{\"type\":\"connect\"}", "AAAA"), "anybody could ask");
            String unknown = "{\"type\":\"later\"}";
            assertEquals(500, post(example.port, unknown, signature(unknown)), "and it goes on");
            String yaml = Files.readString(EXAMPLES.resolve("barrage.yaml"))
                    .replace("8090", Integer.toString(example.port))
                    .replace("hooks:\n", "hooks:\n  secret: " + HookBackend.SECRET + "\n")
                    // What is shown isn't the time that an answer has here.
                    .replace("timeout: 1s", "timeout: 1m")
                    .replace("/hooks\"}", "/hooks\", timeout: 1m}");
            try (GatewayUnderTest gateway = GatewayUnderTest.start("profile: production\n" + yaml)) {
                talk(gateway);
            }
            String line = example.output.readLine();
            while (line != null && !line.contains("\"vacated\"")) {
                line = example.output.readLine();
            }
            assertTrue(line != null && line.contains("room:"), "no vacated in the example's output");
        }
    }

    private static void talk(GatewayUnderTest gateway) throws Exception {
        try (RawWebSocket anonymous = gateway.subscriber("room:lobby");
                RawWebSocket ann = gateway.webSocket("?token=session-of-ann")) {
            anonymous.say("{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room:backstage\"}");
            assertTrue(anonymous.expect("error").contains("\"code\":\"refused\",\"message\":\"sign in first\""));
            assertTrue(ann.expect("subscribed").contains("room:lobby"));
            assertTrue(ann.expect("subscribed").contains("$user:ann"));
            ann.say("{\"type\":\"publish\",\"topic\":\"room:lobby\",\"data\":{\"text\":\"Darn, 弹幕\"}}");
            String message = anonymous.expect("message");
            assertTrue(message.contains("\"sender\":\"ann\""), message);
            assertTrue(message.contains("d**n"), message);
            ann.expect("message");
            ann.say("{\"type\":\"publish\",\"id\":2,\"topic\":\"room:lobby\",\"data\":{\"text\":\"see http://x\"}}");
            assertTrue(ann.expect("published").contains("\"held\":true"));
            ann.say("{\"type\":\"publish\",\"id\":3,\"topic\":\"room:lobby\",\"data\":{\"text\":\"hello\"}}");
            // The answer and the message itself, in whichever order.
            String both = ann.text() + ann.text();
            assertTrue(both.contains("\"id\":3,") && both.contains("\"offset\":2"), both);
            for (String data : new String[] {"null", "{}", "[\"darn\"]", "{\"text\":[\"darn\"]}"}) {
                ann.say("{\"type\":\"publish\",\"id\":4,\"topic\":\"room:lobby\",\"data\":" + data + "}");
                String answer = ann.expect("error");
                assertTrue(answer.contains("\"code\":\"refused\",\"message\":\"a message has a text\""), answer);
            }
            ann.say("{\"type\":\"publish\",\"id\":5,\"topic\":\"room:lobby\",\"data\":1}");
            both = ann.text() + ann.text();
            assertTrue(both.contains("\"id\":5,") && both.contains("\"offset\":3"), both);
        }
        try (RawWebSocket nobody = RawWebSocket.open(gateway.clientsPort(), "?token=constructor")) {
            assertTrue(nobody.expect("error").contains("this session has ended"));
        }
        try (RawWebSocket eve = RawWebSocket.open(gateway.clientsPort(), "?token=session-of-eve")) {
            assertTrue(eve.expect("error").contains("banned"));
            eve.expectClose(4403);
        }
        try (RawWebSocket nobody = RawWebSocket.open(gateway.clientsPort(), "?token=made-up")) {
            assertTrue(nobody.expect("error").contains("this session has ended"));
            nobody.expectClose(4401);
        }
    }

    private static final String ID = "msg_1";
    private static final String NOW = Long.toString(System.currentTimeMillis() / 1000);

    private static String signature(String body) throws GeneralSecurityException {
        byte[] secret = Base64.getDecoder().decode(HookBackend.SECRET.substring("whsec_".length()));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        byte[] signed = (ID + "." + NOW + "." + body).getBytes(StandardCharsets.UTF_8);
        return Base64.getEncoder().encodeToString(mac.doFinal(signed));
    }

    private static int post(int port, String body, String signature) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/hooks"))
                                .version(HttpClient.Version.HTTP_1_1)
                                .header("webhook-id", ID)
                                .header("webhook-timestamp", NOW)
                                .header("webhook-signature", "v1," + signature)
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
