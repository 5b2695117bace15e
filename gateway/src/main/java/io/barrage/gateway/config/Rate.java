package io.barrage.gateway.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of events in a time, written {@code 50/s}, {@code 20/m} or {@code 100/h}; {@code none} is no limit at all. Immutable.
 *
 * @param perSecond how many in a second; infinite for {@link #NONE}
 */
public record Rate(double perSecond) implements Comparable<Rate> {
    /** No limit. */
    public static final Rate NONE = new Rate(Double.POSITIVE_INFINITY);

    private static final Pattern FORM = Pattern.compile("(\\d{1,9}) ?/ ?(s|m|h)");

    public Rate {
        if (!(perSecond > 0)) {
            throw new IllegalArgumentException("a rate must be more than 0: " + perSecond);
        }
    }

    /**
     * Reads what {@link #toString} writes.
     *
     * @throws IllegalArgumentException if the text isn't a rate
     */
    public static Rate parse(String text) {
        if (text.equals("none")) {
            return NONE;
        }
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("not a rate: " + text);
        }
        return new Rate(Long.parseLong(form.group(1)) / (double) seconds(form.group(2)));
    }

    private static int seconds(String unit) {
        return switch (unit) {
            case "s" -> 1;
            case "m" -> 60;
            default -> 3600;
        };
    }

    /** Whether there is a limit. */
    public boolean isLimit() {
        return perSecond != Double.POSITIVE_INFINITY;
    }

    @Override
    public int compareTo(Rate other) {
        return Double.compare(perSecond, other.perSecond);
    }

    /** In the shortest time that makes it whole. */
    @Override
    public String toString() {
        if (!isLimit()) {
            return "none";
        }
        for (String unit : new String[] {"s", "m", "h"}) {
            double count = perSecond * seconds(unit);
            if (Math.abs(count - Math.rint(count)) < 1e-6) {
                return Math.round(count) + "/" + unit;
            }
        }
        return perSecond + "/s";
    }
}
