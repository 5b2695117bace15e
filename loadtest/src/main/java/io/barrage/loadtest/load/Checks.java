package io.barrage.loadtest.load;

import java.time.Duration;
import java.util.OptionalDouble;

/** What plans demand of their values; whoever breaks it reads which option it was. Thread-safe: no state. */
final class Checks {
    private Checks() {}

    static void atLeast(String option, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(option + ": " + value + " is less than " + least);
        }
    }

    static void positive(String option, double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException(option + ": " + value + " isn't positive");
        }
    }

    static void positive(String option, OptionalDouble value) {
        if (value.isPresent()) {
            positive(option, value.getAsDouble());
        }
    }

    static void positive(String option, Duration value) {
        if (value.isZero() || value.isNegative()) {
            throw new IllegalArgumentException(option + ": " + value.toMillis() + " ms isn't positive");
        }
    }

    static void notNegative(String option, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(option + ": " + value.toMillis() + " ms is negative");
        }
    }

    /** The size of a message's data: it must have room for its stamp. */
    static void data(int bytes) {
        atLeast("bytes", bytes, Stamp.MIN_BYTES);
    }
}
