package io.barrage.loadtest.danmaku;

import java.io.IOException;

/** A file that isn't danmaku XML, and where it stops being so. Its message names the source and the line. */
public final class DanmakuFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int line;

    DanmakuFormatException(String source, int line, String what) {
        super(source + ", line " + line + ": " + what);
        this.line = line;
    }

    /** The line, counted from 1. */
    public int line() {
        return line;
    }
}
