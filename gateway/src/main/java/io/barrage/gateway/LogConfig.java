package io.barrage.gateway;

import io.barrage.gateway.config.Setting;

/** What is logged, and how it looks. Immutable. */
public record LogConfig(
        @Setting(
                value = "info",
                doc = "The least level that is logged. `debug` shows connections coming and going; not for many of"
                        + " them.")
        Level level,

        @Setting(value = "text", doc = "`text` for people, `json` for log collectors: one object per line.")
        Format format) {

    /** The levels, the most talkative first. */
    public enum Level {
        /** Everything. */
        TRACE,
        /** Single connections. */
        DEBUG,
        /** The life of the process. */
        INFO,
        /** What an operator should look at. */
        WARN,
        /** What shouldn't happen. */
        ERROR
    }

    /** The forms of a line. */
    public enum Format {
        /** Time, level, logger, sentence. */
        TEXT,
        /** A JSON object. */
        JSON
    }
}
