package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.protocol.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The page of the HTTP API lists the codes that there are, with their status. */
class HttpApiPageTest {
    private static final Path PAGE = Path.of("..", "docs", "http-api.md");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (\\d{3}) \\| `([a-z_]+)` \\|");

    /** What only clients are told, in frames and refused upgrades. */
    private static final Set<String> OF_CLIENTS = Set.of(
            "already_subscribed",
            "hook_failed",
            "not_implemented",
            "not_subscribed",
            "refused",
            "token_expired",
            "too_many_subscriptions",
            "upgrade_required");

    /** The table's codes, each with its status. */
    static Map<String, Integer> codes() throws IOException {
        return ROW.matcher(Files.readString(PAGE))
                .results()
                .collect(Collectors.toMap(
                        row -> row.group(2), row -> Integer.valueOf(row.group(1)), (one, other) -> one, TreeMap::new));
    }

    @Test
    void itsTableHasAllCodesWithTheirStatus() throws IOException {
        Map<String, Integer> expected = Stream.of(ErrorCode.values())
                .filter(code -> !OF_CLIENTS.contains(code.wire()))
                .collect(Collectors.toMap(ErrorCode::wire, ErrorCode::status, (one, other) -> one, TreeMap::new));
        assertEquals(expected, codes());
    }

    @Test
    void clientsCodesExist() {
        Set<String> all =
                Stream.of(ErrorCode.values()).map(ErrorCode::wire).collect(Collectors.toCollection(TreeSet::new));
        all.retainAll(OF_CLIENTS);
        assertEquals(new TreeSet<>(OF_CLIENTS), all);
    }
}
