package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.config.ConfigReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The configuration page of the docs says what the records say. */
class ConfigurationPageTest {

    private static final Path PAGE = Path.of("..", "docs", "configuration.md");
    private static final Path SCHEMA = Path.of("..", "docs", "barrage.schema.json");
    private static final String START = "<!-- generated: all keys -->\n";
    private static final String END = "<!-- end of generated part -->\n";

    @Test
    void listsEveryKey() throws Exception {
        String page = Files.readString(PAGE);
        int start = page.indexOf(START) + START.length();
        int end = page.indexOf(END);
        assertTrue(start >= START.length() && end >= start, "no generated part in " + PAGE);
        String current = page.substring(0, start) + ConfigReference.markdown(GatewayConfig.class) + page.substring(end);
        if (Boolean.getBoolean("barrage.docs.update")) {
            Files.writeString(PAGE, current);
        } else {
            assertEquals(
                    current,
                    page,
                    "docs/configuration.md is out of date; write it anew with: mvn -pl gateway -am test"
                            + " -Dtest=ConfigurationPageTest -Dsurefire.failIfNoSpecifiedTests=false"
                            + " -Dbarrage.docs.update=true");
        }
    }

    @Test
    void schemaIsWhatTheRecordsSay() throws Exception {
        String current = GatewayConfig.schema();
        if (Boolean.getBoolean("barrage.docs.update")) {
            Files.writeString(SCHEMA, current);
        } else {
            assertEquals(
                    current,
                    Files.readString(SCHEMA),
                    "docs/barrage.schema.json is out of date; it is written anew as docs/configuration.md is");
        }
    }

    @Test
    void showsExamplesThatWork() throws Exception {
        Matcher example = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(PAGE));
        int count = 0;
        while (example.find()) {
            ConfigReader.parse(GatewayConfig.class, example.group(1));
            count++;
        }
        assertTrue(count > 0, "no examples in " + PAGE);
    }
}
