package io.barrage.gateway.backend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.gateway.backend.PublishHandler.Answer;
import io.barrage.gateway.backend.PublishHandler.Answers;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.protocol.PublishRequest.Target;
import io.barrage.protocol.TopicName;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PublishAnswersTest {
    private static Answer accepted(TopicName topic, boolean duplicate) {
        return new Answer(
                new Target(topic.toString(), topic, null),
                new PublishResult.Accepted("k3x9", 9_007_199_254_740_991L, duplicate),
                null);
    }

    private static void assertAsAmongOthers(Answer answer) {
        String all = new String(PublishAnswers.results(List.of(answer)), UTF_8);
        String single = new String(PublishAnswers.single(answer), UTF_8);
        assertEquals(all, "{\"results\":[" + single + "]}");
        assertEquals(
                "{\"line\":7," + single.substring(1) + "\n",
                new String(PublishAnswers.line(7, new Answers(true, List.of(answer))), UTF_8));
    }

    /** The one that is written by hand for speed is the one that the JSON library writes. */
    @ParameterizedTest
    @CsvSource({"room:42,false", "room:42,true", "a.b-_~=:Z9,false"})
    void isTheSameAloneAndAmongOthers(String topic, boolean duplicate) {
        assertAsAmongOthers(accepted(TopicName.of(topic), duplicate));
    }

    @ParameterizedTest
    @ValueSource(strings = {"u7", "a\"b", "a\\b"})
    void escapesTheNamesOfUsers(String user) {
        assertAsAmongOthers(accepted(TopicName.ofUser(user), false));
    }
}
