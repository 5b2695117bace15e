package io.barrage.loadtest.target;

/**
 * What a gateway said to one publish. Immutable.
 *
 * @param verdict what became of the message
 * @param offset the message's offset, or 0 where the gateway tells none
 */
public record Answer(Verdict verdict, long offset) {
    /** What became of a published message. */
    public enum Verdict {
        /** It will be delivered to every subscriber. */
        ACCEPTED,
        /** Taken, but deliberately delivered to nobody. */
        SHED,
        /** Not taken. */
        REFUSED
    }
}
