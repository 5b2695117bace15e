package io.barrage.client;

import io.barrage.protocol.Position;
import java.util.List;

/**
 * The answer to a publish. Immutable.
 *
 * @param messageId the caller's, or the one that was made for it
 * @param outcomes one for each target, in their order
 */
public record Published(String messageId, List<Outcome> outcomes) {
    /** Copies the list. */
    public Published {
        outcomes = List.copyOf(outcomes);
    }

    /**
     * What became of a publish to one target.
     *
     * @throws IllegalStateException if there are several
     */
    public Outcome outcome() {
        if (outcomes.size() != 1) {
            throw new IllegalStateException(
                    "this publish had " + outcomes.size() + " targets: look at outcomes(), one for each of them");
        }
        return outcomes.get(0);
    }

    /**
     * Where the message of a publish to one target is in its topic's order.
     *
     * @throws IllegalStateException if it has no place: it was shed, merged into a value, refused in a batch, or there are several
     */
    public Position position() {
        if (outcome() instanceof Outcome.Accepted accepted) {
            return accepted.position();
        }
        throw new IllegalStateException("this publish has no position: " + outcome());
    }
}
