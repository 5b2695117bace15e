package io.barrage.loadtest.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/**
 * Writes HTML that is XML too, and SVG. Not thread-safe.
 *
 * <p>All text and all attributes are escaped here and nowhere else, since results hold what gateways said.
 */
final class Markup {
    private static final Set<String> VOID = Set.of("meta", "br", "path", "line", "rect", "circle");

    private final StringBuilder out = new StringBuilder();
    private final Deque<String> open = new ArrayDeque<>();

    /** Begins an element; attributes are names and values in turn. */
    Markup begin(String tag, String... attributes) {
        start(tag, attributes).append('>');
        open.push(tag);
        return this;
    }

    Markup end() {
        out.append("</").append(open.pop()).append('>');
        return this;
    }

    /** A whole element that holds a text. */
    Markup element(String tag, String text, String... attributes) {
        return begin(tag, attributes).text(text).end();
    }

    /** A whole element that holds nothing, and can't. */
    Markup empty(String tag, String... attributes) {
        if (!VOID.contains(tag)) {
            throw new IllegalArgumentException("<" + tag + "/> is read as an open <" + tag + "> by HTML");
        }
        start(tag, attributes).append("/>");
        return this;
    }

    Markup text(String text) {
        escape(text);
        return this;
    }

    /** What another one has written; it must be complete. */
    Markup include(Markup other) {
        out.append(other);
        return this;
    }

    /** A style sheet of this tool's own: HTML doesn't read escapes in it, so it may hold none. */
    Markup style(String css) {
        if (css.contains("<") || css.contains("&") || css.contains(">")) {
            throw new IllegalArgumentException("a style sheet with a character that XML would escape");
        }
        out.append("<style>").append(css).append("</style>");
        return this;
    }

    Markup line() {
        out.append('\n');
        return this;
    }

    private StringBuilder start(String tag, String... attributes) {
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ').append(attributes[i]).append("=\"");
            escape(attributes[i + 1]);
            out.append('"');
        }
        return out;
    }

    private void escape(String text) {
        text.codePoints().forEach(c -> {
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(isXml(c) ? c : 0xfffd);
            }
        });
    }

    /** XML has no way to say the others. */
    private static boolean isXml(int c) {
        return c == '\t'
                || c == '\n'
                || (c >= 0x20 && c < 0x7f)
                || (c >= 0xa0 && c < 0xd800)
                || (c >= 0xe000 && c < 0xfffe)
                || c >= 0x10000;
    }

    /** What was written; every element must have ended. */
    @Override
    public String toString() {
        if (!open.isEmpty()) {
            throw new IllegalStateException("<" + open.peek() + "> hasn't ended");
        }
        return out.toString();
    }
}
