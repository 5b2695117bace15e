package io.barrage.gateway.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReloadedTest {
    record Door(
            @Setting(value = "80", doc = "Port.", restart = true)
            int port,

            @Setting(doc = "Names.") List<String> names) {}

    record House(
            @Setting(doc = "Door.") Door door,
            @Setting(value = "1", doc = "Rooms.") int rooms,
            @Setting(doc = "Cellar.", restart = true) Door cellar)
            implements Checked {
        @Override
        public void check(Contradictions found) {
            if (rooms == door.port()) {
                found.add("as many rooms as the port says", "rooms", "door.port");
            }
        }
    }

    private static House house(String yaml) {
        return ConfigReader.parse(House.class, yaml);
    }

    private static Reloaded<House> reload(String old, String fresh) throws ConfigException {
        return Reloaded.of(House.class, house(old), house(fresh));
    }

    @Test
    void takesWhatCanChange() throws Exception {
        Reloaded<House> reloaded = reload("rooms: 2", "{rooms: 3, door: {names: [a]}}");
        assertEquals(house("{rooms: 3, door: {names: [a]}}"), reloaded.value());
        assertEquals(List.of("door.names", "rooms"), reloaded.changed());
        assertEquals(List.of(), reloaded.needRestart());
    }

    @Test
    void keepsAndNamesWhatNeedsARestart() throws Exception {
        Reloaded<House> reloaded = reload(
                "cellar: {names: [old]}", "{rooms: 3, door: {port: 81, names: [a]}, cellar: {port: 5, names: [new]}}");
        assertEquals(house("{rooms: 3, door: {names: [a]}, cellar: {names: [old]}}"), reloaded.value());
        assertEquals(List.of("door.names", "rooms"), reloaded.changed());
        assertEquals(List.of("door.port", "cellar.port", "cellar.names"), reloaded.needRestart());
    }

    @Test
    void refusesWhatContradictsAnOldValueThatStays() {
        ConfigException refused =
                assertThrows(ConfigException.class, () -> reload("", "{rooms: 80, door: {port: 81}}"));
        assertEquals(
                List.of(
                        "rooms: as many rooms as the port says (until a restart, the old values of door.port are in effect)"),
                refused.errors());
    }
}
