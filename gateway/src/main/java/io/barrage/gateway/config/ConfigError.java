package io.barrage.gateway.config;

import org.jspecify.annotations.Nullable;

/**
 * One mistake in the configuration. Immutable.
 *
 * @param place where it was written; null if it follows from a default
 * @param path the key it is about; empty if none
 * @param message what was expected and what was found, or what is missing
 */
record ConfigError(@Nullable Place place, String path, String message) {

    @Override
    public String toString() {
        StringBuilder line = new StringBuilder();
        if (place != null) {
            line.append(place).append(": ");
        }
        // A flag is its key's name already.
        if (!path.isEmpty() && (place == null || place.kind() != Place.Source.FLAG)) {
            line.append(path).append(": ");
        }
        return line.append(message).toString();
    }
}
