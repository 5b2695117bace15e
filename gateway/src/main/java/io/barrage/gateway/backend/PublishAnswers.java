package io.barrage.gateway.backend;

import io.barrage.gateway.backend.PublishHandler.Answer;
import io.barrage.gateway.backend.PublishHandler.Answers;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.TopicName;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Writes the answers to publishes as JSON. Stateless. */
final class PublishAnswers {
    private static final JsonFactory JSON = new JsonFactory();

    private PublishAnswers() {}

    /** {@code {"topic":...,"epoch":...,"offset":...}} */
    static byte[] single(Answer answer) {
        String plain = plainFields(answer);
        if (plain != null) {
            return ("{" + plain + "}").getBytes(StandardCharsets.US_ASCII);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(96);
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            writeFields(out, answer);
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /** The fields of what nearly all answers are, made without a generator for each; null for others. */
    private static @Nullable String plainFields(Answer answer) {
        if (!(answer.result() instanceof PublishResult.Accepted accepted) || accepted.duplicate() || !isPlain(answer)) {
            return null;
        }
        // Neither a topic's name nor an epoch has anything to escape.
        return "\"topic\":\"" + answer.target().name() + "\",\"epoch\":\"" + accepted.epoch() + "\",\"offset\":"
                + accepted.offset();
    }

    private static boolean isPlain(Answer answer) {
        TopicName topic = answer.target().topic();
        // The name of a user may have quotes.
        return topic != null && !topic.namespace().equals(TopicName.USER_NAMESPACE);
    }

    /** {@code {"results":[...]}} */
    static byte[] results(List<Answer> answers) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(96 * answers.size());
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            writeResults(out, answers);
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /** One line of the answer to a stream, with the number of the line that it answers. */
    static byte[] line(long number, Answers answers) {
        String plain = answers.single() ? plainFields(answers.answers().get(0)) : null;
        if (plain != null) {
            return ("{\"line\":" + number + "," + plain + "}\n").getBytes(StandardCharsets.US_ASCII);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(112);
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            out.writeNumberProperty("line", number);
            if (answers.single()) {
                writeFields(out, answers.answers().get(0));
            } else {
                writeResults(out, answers.answers());
            }
            out.writeEndObject();
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    /** The line that answers one which can't be carried out. */
    static byte[] line(long number, ProtocolException error) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(160);
        try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            out.writeStartObject();
            out.writeNumberProperty("line", number);
            writeError(out, error);
            out.writeEndObject();
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private static void writeResults(JsonGenerator out, List<Answer> answers) {
        out.writeArrayPropertyStart("results");
        for (Answer answer : answers) {
            out.writeStartObject();
            writeFields(out, answer);
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void writeFields(JsonGenerator out, Answer answer) {
        out.writeStringProperty("topic", answer.target().name());
        boolean duplicate = false;
        if (answer.result() instanceof PublishResult.Accepted accepted) {
            out.writeStringProperty("epoch", accepted.epoch());
            out.writeNumberProperty("offset", accepted.offset());
            duplicate = accepted.duplicate();
        } else if (answer.result() instanceof PublishResult.Shed shed) {
            out.writeStringProperty("shed", shed.reason());
            duplicate = shed.duplicate();
        } else if (answer.result() instanceof PublishResult.ValueAccepted merged) {
            out.writeStringProperty("key", merged.key());
            duplicate = merged.duplicate();
        }
        if (duplicate) {
            out.writeBooleanProperty("duplicate", true);
        }
        if (answer.error() != null) {
            writeError(out, answer.error());
        }
    }

    private static void writeError(JsonGenerator out, ProtocolException error) {
        out.writeObjectPropertyStart("error");
        out.writeStringProperty("code", error.code().wire());
        out.writeStringProperty("message", error.getMessage());
        out.writeEndObject();
    }
}
