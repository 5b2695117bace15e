package io.barrage.loadtest.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class VariantTest {
    @Test
    void tellsTheArgumentsOfBarrageFromThoseOfItsJvm() {
        assertEquals(
                new Variant(
                        "barrage-25",
                        "/jdk-25/bin/java",
                        List.of("-Xmx1g", "@jvm.args"),
                        List.of("--server.loops=2", "--memory.tail=1")),
                Variant.parse("barrage-25=-Xmx1g  /jdk-25/bin/java @jvm.args --server.loops=2 --memory.tail=1"));
    }

    @Test
    void mayDifferInNothing() {
        assertEquals(new Variant("again", null, List.of(), List.of()), Variant.parse("again="));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "=-Xmx1g", "a b=-Xmx1g", "a|b=", "x=/a/java /b/java"})
    void refusesWhatIsNoVariant(String text) {
        String refused = assertThrows(IllegalArgumentException.class, () -> Variant.parse(text))
                .getMessage();
        assertTrue(refused.contains("variant '" + text + "'"), refused);
    }

    @Test
    void replacesWhatTheOthersAreToldOfTheSameKeys() {
        Variant variant = Variant.parse("x=--server.loops=2 --memory.tail=1");
        assertEquals(
                List.of("--server.transport=nio", "--server.loops=2", "--memory.tail=1"),
                variant.gatewayArguments(List.of("--server.loops=1", "--server.transport=nio")));
    }
}
