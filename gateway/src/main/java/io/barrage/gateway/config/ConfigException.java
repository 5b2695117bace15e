package io.barrage.gateway.config;

import java.util.List;

/** The configuration can't be used; carries every mistake that was found. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<String> errors;

    ConfigException(List<String> errors) {
        super(String.join(System.lineSeparator(), errors));
        this.errors = List.copyOf(errors);
    }

    /** The mistakes in reading order, one line each, with source and key: ready to be shown to a person. */
    public List<String> errors() {
        return errors;
    }
}
