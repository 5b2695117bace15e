package io.barrage.gateway.config;

import java.util.List;

/** The end of an error message about an unknown name. */
final class Suggestions {

    private Suggestions() {}

    /** {@code "; did you mean a or b?"}, or nothing if there is nothing to suggest. */
    static String of(List<String> names) {
        return names.isEmpty() ? "" : "; did you mean " + String.join(" or ", names) + "?";
    }
}
