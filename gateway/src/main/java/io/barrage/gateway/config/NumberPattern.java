package io.barrage.gateway.config;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Regular expressions for whole numbers of a range, for languages that can't compare numbers in a text. Stateless. */
final class NumberPattern {
    private NumberPattern() {}

    /** An expression for the decimal numbers from {@code least} to {@code greatest}, without leading zeros. */
    static String between(long least, long greatest) {
        if (least < 0 || least > greatest) {
            throw new IllegalArgumentException("not a range of numbers: " + least + " to " + greatest);
        }
        // Ends of ranges in which each digit goes over a range of its own, whatever the others are.
        TreeSet<Long> ends = new TreeSet<>();
        ends.add(greatest);
        for (long power = 10; ; power *= 10) {
            long end = least - least % power + power - 1;
            if (end >= greatest) {
                break;
            }
            ends.add(end);
        }
        for (long power = 10; ; power *= 10) {
            long end = greatest + 1 - (greatest + 1) % power - 1;
            if (end <= least) {
                break;
            }
            ends.add(end);
        }
        List<String> parts = new ArrayList<>();
        long start = least;
        for (long end : ends) {
            parts.add(digits(Long.toString(start), Long.toString(end)));
            start = end + 1;
        }
        return String.join("|", parts);
    }

    private static String digits(String from, String to) {
        StringBuilder pattern = new StringBuilder();
        int any = 0;
        for (int i = 0; i < from.length(); i++) {
            char first = from.charAt(i);
            char last = to.charAt(i);
            if (first == '0' && last == '9') {
                any++;
            } else if (first == last) {
                pattern.append(first);
            } else {
                pattern.append('[').append(first).append('-').append(last).append(']');
            }
        }
        return any == 0 ? pattern.toString() : pattern + "\\d" + (any == 1 ? "" : "{" + any + "}");
    }
}
