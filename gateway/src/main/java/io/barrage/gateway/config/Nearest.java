package io.barrage.gateway.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** Finds what somebody meant who wrote an unknown name. */
final class Nearest {

    private Nearest() {}

    /**
     * The valid paths nearest to an unknown one, best first, at most three; empty if nothing is near.
     *
     * <p>A slip in the last name, in the same section, comes before the right name at the wrong level, and that before a
     * slip at the wrong level: people copy a line to the wrong place more often than they make two mistakes at once.
     */
    static List<String> paths(String unknown, Collection<String> valid) {
        String section = section(unknown);
        String name = plain(name(unknown));
        List<String> siblings =
                valid.stream().filter(path -> section(path).equals(section)).toList();
        List<String> found = closest(siblings, path -> distance(name, plain(name(path))), tolerance(name));
        if (found.isEmpty()) {
            found = closest(valid, path -> distance(name, plain(name(path))), 0);
        }
        if (found.isEmpty()) {
            found = closest(valid, path -> distance(plain(unknown), plain(path)), tolerance(plain(unknown)));
        }
        if (found.isEmpty()) {
            found = closest(valid, path -> distance(name, plain(name(path))), tolerance(name));
        }
        return found;
    }

    /** The valid names nearest to an unknown one as a whole. */
    static List<String> names(String unknown, Collection<String> valid) {
        String plain = plain(unknown);
        return closest(valid, name -> distance(plain, plain(name)), tolerance(plain));
    }

    private interface Distance {
        int to(String candidate);
    }

    private static List<String> closest(Collection<String> candidates, Distance distance, int tolerance) {
        int best = tolerance;
        List<String> found = new ArrayList<>();
        for (String candidate : candidates) {
            int d = distance.to(candidate);
            if (d < best) {
                best = d;
                found.clear();
            }
            if (d == best) {
                found.add(candidate);
            }
        }
        return found.size() > 3 ? found.subList(0, 3) : found;
    }

    /** A third of the letters may be wrong; in the shortest words one. */
    private static int tolerance(String name) {
        return Math.max(1, name.length() / 3);
    }

    private static String section(String path) {
        return path.substring(0, path.lastIndexOf('.') + 1);
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** Without what is only a matter of style: {@code heartbeat_timeout} is as good as {@code heartbeatTimeout}. */
    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
    }

    /** The least number of letters inserted, deleted, replaced or swapped with their neighbour. */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
