package io.barrage.client;

import io.barrage.protocol.Position;
import io.barrage.protocol.ProtocolException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads what the gateway answers. Stateless. */
final class Answers {
    private Answers() {}

    /** The outcomes of a publish: one in the object itself, or several in {@code results}. */
    static List<Outcome> outcomes(Publish asked, Map<?, ?> answer) throws UnreadableAnswerException {
        List<String> topics = asked.topics();
        if (answer.get("topic") == null && answer.get("error") instanceof Map<?, ?> error) {
            // A line of a batch that wasn't understood as a whole.
            List<Outcome> all = new ArrayList<>();
            for (String topic : topics) {
                all.add(refused(topic, error));
            }
            return all;
        }
        if (asked.isSingle()) {
            return List.of(outcome(topics.get(0), answer));
        }
        if (!(answer.get("results") instanceof List<?> results) || results.size() != topics.size()) {
            throw new UnreadableAnswerException("it hasn't the 'results' of " + topics.size() + " targets");
        }
        List<Outcome> all = new ArrayList<>();
        for (int i = 0; i < topics.size(); i++) {
            if (!(results.get(i) instanceof Map<?, ?> result)) {
                throw new UnreadableAnswerException("one of its 'results' isn't an object");
            }
            all.add(outcome(topics.get(i), result));
        }
        return all;
    }

    private static Outcome outcome(String topic, Map<?, ?> fields) throws UnreadableAnswerException {
        if (!topic.equals(fields.get("topic"))) {
            throw new UnreadableAnswerException("it is about another topic than '" + topic + "'");
        }
        if (fields.get("error") instanceof Map<?, ?> error) {
            return refused(topic, error);
        }
        boolean duplicate = Boolean.TRUE.equals(fields.get("duplicate"));
        if (fields.get("shed") instanceof String reason) {
            return new Outcome.Shed(topic, reason, duplicate);
        }
        if (fields.get("key") instanceof String key) {
            return new Outcome.Merged(topic, key, duplicate);
        }
        try {
            return new Outcome.Accepted(
                    topic, new Position(text(fields, "epoch"), number(fields, "offset")), duplicate);
        } catch (ProtocolException e) {
            throw new UnreadableAnswerException("its position isn't one: " + e.getMessage());
        }
    }

    private static Outcome refused(String topic, Map<?, ?> error) throws UnreadableAnswerException {
        return new Outcome.Refused(topic, text(error, "code"), text(error, "message"));
    }

    /** How many messages were retracted. */
    static int retracted(byte[] answer) throws UnreadableAnswerException {
        return (int) number(Json.object(answer), "retracted");
    }

    /** To how many connections something was done. */
    static Affected affected(byte[] answer) throws UnreadableAnswerException {
        Map<?, ?> fields = Json.object(answer);
        Map<String, Integer> refused = new HashMap<>();
        if (fields.get("refused") instanceof Map<?, ?> counts) {
            for (Object code : counts.keySet()) {
                refused.put(String.valueOf(code), (int) number(counts, String.valueOf(code)));
            }
        }
        return new Affected(
                text(fields, "user"), (int) number(fields, "connections"), (int) number(fields, "affected"), refused);
    }

    static long number(Map<?, ?> fields, String name) throws UnreadableAnswerException {
        if (fields.get(name) instanceof Long number) {
            return number;
        }
        throw missing(name, "number", fields.get(name));
    }

    private static String text(Map<?, ?> fields, String name) throws UnreadableAnswerException {
        if (fields.get(name) instanceof String text) {
            return text;
        }
        throw missing(name, "string", fields.get(name));
    }

    private static UnreadableAnswerException missing(String name, String type, @Nullable Object found) {
        return new UnreadableAnswerException(
                "its field '" + name + "' " + (found == null ? "is missing" : "isn't a " + type));
    }
}
