package io.barrage.loadtest.danmaku;

/**
 * One comment of a danmaku file: what was said, when in the video, and how it shall be shown. Immutable.
 *
 * @param atNanos the comment's time since the start of the video
 * @param mode how it crosses the screen
 * @param rgb its colour, {@code 0xrrggbb}
 * @param text what was said
 */
public record DanmakuComment(long atNanos, Mode mode, int rgb, String text) {

    /** How a comment is shown. Immutable. */
    public enum Mode {
        SCROLL("scroll"),
        TOP("top"),
        BOTTOM("bottom");

        private final String wire;

        Mode(String wire) {
            this.wire = wire;
        }

        /** The word that published data carries. */
        public String wire() {
            return wire;
        }

        /** The mode of a file's number: 4 is bottom, 5 is top; all others scroll, those too that only a player could show. */
        static Mode ofNumber(int number) {
            return switch (number) {
                case 4 -> BOTTOM;
                case 5 -> TOP;
                default -> SCROLL;
            };
        }
    }

    /** The colour as CSS writes it, {@code #rrggbb}. */
    public String color() {
        return String.format("#%06x", rgb);
    }
}
