package io.barrage.client;

import java.util.List;
import java.util.Optional;

/**
 * A {@link BarrageClient#publishAll batch} failed before each of its publishes had an answer. Its cause says why: a
 * {@link ProblemException} if the gateway refused the request. Immutable; of a copy that was serialized the answers are gone.
 *
 * <p>{@link #isOutcomeUnknown} is about the publishes without an answer. To go on, pass {@link #unanswered} to another
 * {@code publishAll} within five minutes of the first: none is published twice.
 */
public final class BatchException extends BarrageException {
    private static final long serialVersionUID = 1;

    private final transient List<Optional<Published>> answers;
    private final transient List<Publish> unanswered;

    BatchException(BarrageException reason, List<Optional<Published>> answers, List<Publish> unanswered) {
        super(
                reason,
                "; " + (answers.size() - unanswered.size()) + " of " + answers.size() + " publishes have an answer");
        this.answers = List.copyOf(answers);
        this.unanswered = List.copyOf(unanswered);
    }

    /** One for each publish of the batch, in order; empty where none came. */
    public List<Optional<Published>> answers() {
        return answers;
    }

    /** The publishes without an answer, in order, with the message ids that they had. */
    public List<Publish> unanswered() {
        return unanswered;
    }
}
