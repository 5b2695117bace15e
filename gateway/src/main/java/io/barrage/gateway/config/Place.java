package io.barrage.gateway.config;

import java.util.Comparator;

/**
 * Where something in the configuration was written: a file with line and column, a variable or a flag. Immutable.
 *
 * @param source the file's name, the variable or the flag
 * @param line counted from 1; 0 when the source has no lines or the whole file is meant
 * @param column counted from 1; 0 like the line
 */
record Place(Source kind, String source, int line, int column) {

    /** The sources, weakest first. */
    enum Source {
        FALLBACK,
        FILE,
        VARIABLE,
        FLAG
    }

    /** The order in which mistakes are told: as one reads the file, then variables, then flags. */
    static final Comparator<Place> READING_ORDER = Comparator.comparing(Place::kind)
            .thenComparingInt(Place::line)
            .thenComparingInt(Place::column)
            .thenComparing(Place::source);

    static Place file(String name, int line, int column) {
        return new Place(Source.FILE, name, line, column);
    }

    static Place variable(String name) {
        return new Place(Source.VARIABLE, name, 0, 0);
    }

    static Place flag(String path) {
        return new Place(Source.FLAG, "--" + path, 0, 0);
    }

    static Place fallback(String reason) {
        return new Place(Source.FALLBACK, reason, 0, 0);
    }

    /** As compilers write it, so that editors and terminals make it a link. */
    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line + ":" + column;
    }
}
