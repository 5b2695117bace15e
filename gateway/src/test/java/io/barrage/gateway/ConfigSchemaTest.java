package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.barrage.gateway.config.ConfigReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody else's validator says of configurations what the gateway says, as far as a schema can. */
class ConfigSchemaTest {
    private static final Schema SCHEMA = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(GatewayConfig.schema());

    private static List<Error> errors(String yaml) {
        return SCHEMA.validate(yaml, InputFormat.YAML);
    }

    private static boolean isTaken(String yaml) {
        try {
            ConfigReader.parse(GatewayConfig.class, yaml);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void isAValidSchema() {
        Schema meta = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(com.networknt.schema.SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
        assertEquals(List.of(), meta.validate(GatewayConfig.schema(), InputFormat.JSON));
    }

    @Test
    void passesTheExamplesOfTheDocs() throws Exception {
        int count = 0;
        for (String page : List.of("configuration", "getting-started", "hot-rooms", "benchmarks", "operations")) {
            String text = Files.readString(Path.of("..", "docs", page + ".md"));
            Matcher example =
                    Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL).matcher(text);
            while (example.find()) {
                String yaml = example.group(1);
                String whole = yaml.contains("auth:") || yaml.contains("profile:") ? yaml : "auth: none\n" + yaml;
                if (isTaken(whole)) {
                    assertEquals(List.of(), errors(whole), page + ":\n" + whole);
                    count++;
                }
            }
        }
        assertTrue(count >= 5, "only " + count + " examples were found");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "auth: none",
                "profile: development",
                "auth: {keys: [{kid: k1, alg: HS256, secret: 0123456789abcdef0123456789abcdef}], audience: barrage}",
                "auth: {jwks: {url: \"https://id.example/keys\"}, audience: [a, b], leeway: 5m, anonymous: true}",
                "auth: none\nclients:\nnamespaces:",
                "auth: none\nheartbeat: 1s",
                "auth: none\nheartbeat: 60m",
                "auth: none\nheartbeat: 3600000ms",
                "auth: none\nlimits: {messageBytes: 65536}",
                "auth: none\nlimits: {messageBytes: 1 MiB, bodyBytes: 4MiB}\nnamespaces: [{name: a, log: {bytes: 4MiB}}]",
                "auth: none\nnamespaces: [{name: $user, budget: none}]",
                "auth: none\nlimits: {inbound: 60/m, handshakes: 1/h}",
                "auth: none\nclients: {trustedProxies: [10.0.0.0/8], proxyHeader: forwarded}",
                "auth: none\nclients: {origins: [\"*\", \"https://a.example:8443\"]}",
            })
    void passesWhatIsRight(String yaml) {
        assertTrue(isTaken(yaml), yaml);
        assertEquals(List.of(), errors(yaml), yaml);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "namespaces: []",
                "profile: production",
                "auth: nobody",
                "auth: {kees: []}",
                "auth: {keys: [{alg: none, secret: 0123456789abcdef0123456789abcdef}]}",
                "auth: {keys: [{secret: 0123456789abcdef0123456789abcdef}]}",
                "auth: {jwks: {url: \"https://id.example/keys\"}, leeway: 6m}",
                "auth: {jwks: {url: \"https://id.example/keys\"}, audience: {a: b}}",
                "auht: none",
                "auth: none\nclients: {prot: 1}",
                "auth: none\nclients.port: 1",
                "auth: none\nclients: {port: 65536}",
                "auth: none\nclients: {port: -1}",
                "auth: none\nclients: {port: a}",
                "auth: none\nclients: 8080",
                "auth: none\nclients: {compression: maybe}",
                "auth: none\nclients: {origins: https://a.example}",
                "auth: none\nclients: {origins: [https://a.example/]}",
                "auth: none\nheartbeat: 25",
                "auth: none\nheartbeat: 0s",
                "auth: none\nheartbeat: 999ms",
                "auth: none\nheartbeat: 61m",
                "auth: none\nheartbeat: 2h",
                "auth: none\nheartbeat: 1.5s",
                "auth: none\nlimits: {messageBytes: 64KB}",
                "auth: none\nlimits: {messageBytes: 1023}",
                "auth: none\nlimits: {messageBytes: 17MiB}",
                "auth: none\nlimits: {messageBytes: 1GiB}",
                "auth: none\nlimits: {inbound: 59/m}",
                "auth: none\nlimits: {inbound: 1/h}",
                "auth: none\nnamespaces: [{publish: anyone}]",
                "auth: none\nnamespaces: [{name: \"a b\"}]",
                "auth: none\nnamespaces: [{name: a, publish: everybody}]",
                "auth: none\nnamespaces: [{name: a, budget: 5}]",
                "auth: none\nnamespaces: [{name: a, budget: 0.5/s}]",
                "auth: none\nnamespaces: {name: a}",
                "auth: none\nnamespaces: [{name: a, log: {sise: 5}}]",
                "auth: none\nbackend: {keys: [{name: a, hash: secret, scopes: [read]}]}",
                "auth: none\nbackend: {keys: [{name: a, hash: \"sha256:35ea7df498d674ba7a99c730d8b8fe5910343595f46b2acd8adf48858b7e74cc\", scopes: [write]}]}",
            })
    void failsWhatIsWrong(String yaml) {
        assertFalse(isTaken(yaml), yaml);
        assertFalse(errors(yaml).isEmpty(), yaml);
    }
}
