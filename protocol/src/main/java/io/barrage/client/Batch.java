package io.barrage.client;

import io.barrage.protocol.PublishRequest;
import java.io.EOFException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Many publishes as one stream of lines. An attempt that is cut off has answers to its first lines; the next one sends the others
 * alone, with the ids that they had. Thread-safe; attempts come one behind the other.
 *
 * <p>A publish to many targets can be longer than a line may be. It is sent as several lines with the same id then: the gateway takes
 * it as one publish to each target all the same.
 */
final class Batch implements Request<List<Published>> {
    private final List<Publish> publishes;
    private final List<String> messageIds;
    private final List<Line> lines = new ArrayList<>();
    // under this
    /** Which lines were sent last, in order. */
    private List<Line> sent = List.of();

    /** A publish, or a part of its targets; its outcomes are under the batch. */
    private static final class Line {
        private final int index;
        private final Publish publish;
        private @Nullable List<Outcome> outcomes;

        /** @param index of the publish that it is of */
        Line(int index, Publish publish) {
            this.index = index;
            this.publish = publish;
        }
    }

    Batch(List<Publish> publishes, List<String> messageIds) {
        this.publishes = publishes;
        this.messageIds = messageIds;
        for (int i = 0; i < publishes.size(); i++) {
            for (Publish part : publishes.get(i).parts(messageIds.get(i), PublishRequest.MAX_LINE_ENVELOPE_BYTES)) {
                lines.add(new Line(i, part));
            }
        }
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
    public synchronized BodyPublisher body() {
        List<Line> left = lines.stream().filter(line -> line.outcomes == null).toList();
        sent = left;
        // Made as they are sent: a batch needs no second copy of all its data.
        return BodyPublishers.ofByteArrays(() -> new Iterator<>() {
            private final Iterator<Line> rest = left.iterator();

            @Override
            public boolean hasNext() {
                return rest.hasNext();
            }

            @Override
            public byte[] next() {
                Line line = rest.next();
                return line.publish.line(messageIds.get(line.index));
            }
        });
    }

    @Override
    public boolean isRepeatable() {
        return true;
    }

    @Override
    public synchronized List<Published> read(byte[] answer) throws UnreadableAnswerException, EOFException {
        take(answer);
        List<Optional<Published>> answers = answers();
        if (answers.stream().anyMatch(Optional::isEmpty)) {
            throw new EOFException("the answer ends before its last line");
        }
        return whole(answers);
    }

    @Override
    public synchronized @Nullable List<Published> readPart(byte[] answer) {
        try {
            take(answer);
        } catch (UnreadableAnswerException ignored) {
            // What follows has no answer, and is sent again.
        }
        List<Optional<Published>> answers = answers();
        return answers.stream().allMatch(Optional::isPresent) ? whole(answers) : null;
    }

    private static List<Published> whole(List<Optional<Published>> answers) {
        return answers.stream().map(Optional::orElseThrow).toList();
    }

    @Override
    public synchronized BatchException failure(BarrageException reason) {
        List<Optional<Published>> answers = answers();
        List<Publish> unanswered = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            if (answers.get(i).isEmpty()) {
                unanswered.add(publishes.get(i).messageId(messageIds.get(i)));
            }
        }
        return new BatchException(reason, answers, unanswered);
    }

    /** One for each publish: empty if one of its lines has no answer. */
    private List<Optional<Published>> answers() {
        assert Thread.holdsLock(this);
        List<Optional<Published>> answers = new ArrayList<>();
        int next = 0;
        for (int i = 0; i < publishes.size(); i++) {
            List<Outcome> outcomes = new ArrayList<>();
            for (; next < lines.size() && lines.get(next).index == i; next++) {
                List<Outcome> ofLine = lines.get(next).outcomes;
                if (ofLine != null) {
                    outcomes.addAll(ofLine);
                }
            }
            // Each target has one.
            boolean isWhole = outcomes.size() == publishes.get(i).topics().size();
            answers.add(isWhole ? Optional.of(new Published(messageIds.get(i), outcomes)) : Optional.empty());
        }
        return answers;
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

    private void takeLine(Map<?, ?> answer) throws UnreadableAnswerException {
        long number = Answers.number(answer, "line");
        if (number < 1 || number > sent.size()) {
            throw new UnreadableAnswerException("it answers line " + number + " of " + sent.size());
        }
        Line line = sent.get((int) number - 1);
        line.outcomes = Answers.outcomes(line.publish, answer);
    }
}
