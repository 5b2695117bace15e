package io.barrage.loadtest;

import org.jspecify.annotations.Nullable;

/** Entry. */
public final class Main {
    private Main() {}

    static @Nullable String x;

    /** Entry. */
    public static void main(String[] args) {
        System.out.println(x);
    }
}
