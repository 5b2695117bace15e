package io.barrage.gateway.backend;

import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All routes of a door, found by a request's path. Immutable. */
final class Routes {
    private final Map<String, Path> paths = new LinkedHashMap<>();
    /** Those without parameters, which nearly all requests are for. */
    private final Map<String, Path> plain = new LinkedHashMap<>();

    /** @throws IllegalArgumentException if two of them are for the same requests */
    Routes(Collection<? extends Resource> resources) {
        for (Resource resource : resources) {
            for (Route route : resource.routes()) {
                Path path = paths.computeIfAbsent(route.template(), Path::new);
                if (path.methods.put(route.method(), route) != null) {
                    throw new IllegalArgumentException("two routes for " + route.method() + ' ' + route.template());
                }
                if (path.places == 0) {
                    plain.put(route.template(), path);
                }
            }
        }
    }

    /** A path that some routes share. */
    private static final class Path {
        private final List<String> segments;
        private final int places;
        private final Map<HttpMethod, Route> methods = new LinkedHashMap<>();

        Path(String template) {
            this.segments = split(template);
            this.places = (int) segments.stream().filter(Path::isPlace).count();
        }

        static boolean isPlace(String segment) {
            return segment.startsWith("{") && segment.endsWith("}");
        }

        /** What stands at the path's places; null if this isn't its path. */
        @Nullable
        Map<String, String> match(List<String> request) {
            if (request.size() != segments.size()) {
                return null;
            }
            Map<String, String> parameters = new LinkedHashMap<>();
            for (int i = 0; i < segments.size(); i++) {
                String segment = segments.get(i);
                String found = request.get(i);
                if (isPlace(segment)) {
                    if (found.isEmpty()) {
                        return null;
                    }
                    parameters.put(segment.substring(1, segment.length() - 1), found);
                } else if (!segment.equals(found)) {
                    return null;
                }
            }
            return parameters;
        }
    }

    /**
     * The routes of a path by their methods, and what stands at its places.
     *
     * @param parameters decoded; a segment may hold a slash that was sent as {@code %2F}
     */
    record Match(Map<HttpMethod, Route> methods, Map<String, String> parameters) {}

    /**
     * Finds who answers at a path: if there are several, the one with the fewest places.
     *
     * @param rawPath as it was sent, percent-encoded
     * @return null if nobody does
     * @throws IllegalArgumentException if the path isn't well-formed
     */
    @Nullable
    Match find(String rawPath) {
        Path exact = plain.get(rawPath);
        if (exact != null) {
            return new Match(exact.methods, Map.of());
        }
        // Split first: a slash that is encoded belongs to its segment.
        List<String> request = split(rawPath).stream().map(Routes::decode).toList();
        Match best = null;
        for (Path path : paths.values()) {
            Map<String, String> parameters = path.match(request);
            if (parameters != null && (best == null || parameters.size() < best.parameters.size())) {
                best = new Match(path.methods, parameters);
            }
        }
        return best;
    }

    private static List<String> split(String path) {
        return List.of(path.split("/", -1));
    }

    private static String decode(String segment) {
        // A plus is a plus in a path.
        return QueryStringDecoder.decodeComponent(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** The paths of all routes, in their order. */
    Collection<String> templates() {
        return paths.keySet();
    }

    /** All of them. */
    List<Route> all() {
        List<Route> all = new ArrayList<>();
        paths.values().forEach(path -> all.addAll(path.methods.values()));
        return all;
    }
}
