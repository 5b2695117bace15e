package io.barrage.gateway.config;

/**
 * A record that knows which of its values contradict each other.
 *
 * <p>A range belongs into {@link Setting}; a record that must not exist in some state refuses in its constructor with
 * {@code IllegalArgumentException}. This hook is for everything that is better reported together and at its line.
 */
public interface Checked {

    /** Adds what is wrong; called once after the record was filled, on the main thread, and may block (DNS). */
    void check(Contradictions found);
}
