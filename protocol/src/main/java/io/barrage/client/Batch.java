package io.barrage.client;

import java.io.EOFException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Many publishes as one stream of lines. An attempt that is cut off has answers to its first lines; the next one sends the others
 * alone, with the ids that they had. Used by one attempt at a time.
 */
final class Batch implements Request<List<Published>> {
    private final List<Publish> publishes;
    private final List<String> messageIds;
    private final @Nullable Published[] answers;
    /** Which lines were sent last, in order. */
    private int[] sent;

    Batch(List<Publish> publishes, List<String> messageIds) {
        this.publishes = publishes;
        this.messageIds = messageIds;
        this.answers = new Published[publishes.size()];
        this.sent = unanswered();
    }

    private int[] unanswered() {
        int[] indices = new int[answers.length];
        int count = 0;
        for (int i = 0; i < answers.length; i++) {
            if (answers[i] == null) {
                indices[count++] = i;
            }
        }
        return Arrays.copyOf(indices, count);
    }

    @Override
    public String path() {
        return "/v1/publish";
    }

    @Override
    public String contentType() {
        return "application/x-ndjson";
    }

    @Override
    public BodyPublisher body() {
        int[] lines = unanswered();
        sent = lines;
        // Made as they are sent: a batch needs no second copy of all its data.
        return BodyPublishers.ofByteArrays(() -> new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < lines.length;
            }

            @Override
            public byte[] next() {
                int index = lines[next++];
                return publishes.get(index).line(messageIds.get(index));
            }
        });
    }

    @Override
    public boolean isRepeatable() {
        return true;
    }

    @Override
    public List<Published> read(byte[] answer) throws UnreadableAnswerException, EOFException {
        take(answer);
        List<Published> all = new ArrayList<>(answers.length);
        for (Published one : answers) {
            if (one == null) {
                throw new EOFException("the answer ends before its last line");
            }
            all.add(one);
        }
        return all;
    }

    @Override
    public void takePart(byte[] answer) {
        try {
            take(answer);
        } catch (UnreadableAnswerException ignored) {
            // What follows has no answer, and is sent again.
        }
    }

    private void take(byte[] text) throws UnreadableAnswerException {
        int from = 0;
        for (int i = 0; i < text.length; i++) {
            if (text[i] == '\n') {
                takeLine(Json.object(Arrays.copyOfRange(text, from, i)));
                from = i + 1;
            }
        }
    }

    private void takeLine(Map<?, ?> line) throws UnreadableAnswerException {
        long number = Answers.number(line, "line");
        if (number < 1 || number > sent.length) {
            throw new UnreadableAnswerException("it answers line " + number + " of " + sent.length);
        }
        int index = sent[(int) number - 1];
        answers[index] = new Published(messageIds.get(index), Answers.outcomes(publishes.get(index), line));
    }
}
