import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;

/**
 * Publishes one message with the JDK's own HTTP client (Java 17 or newer):
 *
 * <pre>java docs/examples/publish/Publish.java demo:hello '{"text":"hello from Java"}'</pre>
 *
 * GATEWAY_URL: the backend's listener. GATEWAY_KEY: an API key with the scope `publish`, where the gateway has keys.
 */
public class Publish {
    private static final String URL = System.getenv().getOrDefault("GATEWAY_URL", "http://127.0.0.1:8081");
    private static final String KEY = System.getenv("GATEWAY_KEY");
    private static final int ATTEMPTS = 4;

    // HTTP/1.1, which is what the gateway speaks; the client would ask each time whether it may upgrade.
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    public static void main(String[] args) throws Exception {
        String topic = args.length > 0 ? args[0] : "demo:hello";
        String data = args.length > 1 ? args[1] : "{\"text\":\"hello from Java\"}";
        System.out.println(publish(topic, data));
    }

    /**
     * Gives the message's place: {"topic", "epoch", "offset"}.
     *
     * @param data one JSON value; use your JSON library to make it
     */
    static String publish(String topic, String data) throws IOException, InterruptedException {
        // One id for all attempts: no answer doesn't mean that the message wasn't published, and a repeat of one that was
        // gets the first one's answer.
        String body = "{\"topic\":\"%s\",\"messageId\":\"%s\",\"data\":%s}".formatted(topic, UUID.randomUUID(), data);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(URL + "/v1/publish"))
                .timeout(Duration.ofSeconds(10))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body));
        if (KEY != null) {
            request.header("Authorization", "Bearer " + KEY);
        }
        for (int attempt = 1; ; attempt++) {
            try {
                HttpResponse<String> answer = CLIENT.send(request.build(), BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return answer.body();
                }
                // 503 is "not now"; what else is refused would be refused again.
                if (answer.statusCode() != 503 || attempt == ATTEMPTS) {
                    throw new IllegalStateException(answer.body());
                }
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
            Thread.sleep(500L << attempt); // 1, 2, 4 s: longer than a gateway takes to restart
        }
    }
}
