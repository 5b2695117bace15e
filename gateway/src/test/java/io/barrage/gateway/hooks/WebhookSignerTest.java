package io.barrage.gateway.hooks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookSignerTest {
    /** Of the test suites of the Standard Webhooks libraries. */
    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private static final byte[] BODY = "{\"test\": 2432232314}".getBytes(UTF_8);
    private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    @Test
    void signsAsTheStandardsLibrariesExpect() {
        assertEquals(SIGNATURE, WebhookSigner.of(List.of(SECRET)).sign(ID, 1_614_265_330, BODY));
    }

    @Test
    void signsWithEachOfTwoSecrets() {
        String other = "whsec_" + "A".repeat(32);
        assertEquals(
                SIGNATURE + " " + WebhookSigner.of(List.of(other)).sign(ID, 1_614_265_330, BODY),
                WebhookSigner.of(List.of(SECRET, other)).sign(ID, 1_614_265_330, BODY));
    }

    @Test
    void takesSecretsOfTheRightLength() {
        assertNotNull(WebhookSigner.decode("whsec_" + "A".repeat(32)));
        assertNotNull(WebhookSigner.decode("whsec_" + "A".repeat(84)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "secret",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "whsec_",
                "whsec_QUJD",
                "whsec_????????????????????????????????"
            })
    void takesNoOthers(String secret) {
        assertNull(WebhookSigner.decode(secret));
    }

    @Test
    void takesNoSecretThatIsTooLong() {
        assertNull(WebhookSigner.decode("whsec_" + "A".repeat(88)));
    }
}
