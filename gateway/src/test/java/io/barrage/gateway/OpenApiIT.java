package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.backend.Route;
import io.barrage.gateway.testkit.Requirements;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The API's description says what the gateway does: every route is in it, and schemathesis finds no difference. */
class OpenApiIT {
    private static final String KEY = ApiKeys.generate();

    /** So that a run can be repeated. */
    private static final String SEED = "20260701";

    private GatewayUnderTest gateway;

    @BeforeEach
    void start() {
        gateway = GatewayUnderTest.start("""
                backend:
                  host: 127.0.0.1
                  port: 0
                  keys: [{name: test, hash: "%s", scopes: [publish, read, control]}]
                metrics: {open: true}
                namespaces:
                  - {name: room, presence: members, history: {size: 100, ttl: 1h}}
                """.formatted(ApiKeys.hash(KEY)));
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    private JsonNode document() throws IOException, InterruptedException {
        HttpResponse<String> answer = gateway.get("/v1/openapi.yaml");
        assertEquals(200, answer.statusCode(), "it needs no key");
        assertEquals(
                "application/yaml", answer.headers().firstValue("content-type").orElseThrow());
        return new YAMLMapper().readTree(answer.body());
    }

    @Test
    void describesEveryRouteAndNothingElse() throws Exception {
        Map<String, String> described = new TreeMap<>();
        document().get("paths").properties().forEach(path -> path.getValue()
                .properties()
                .forEach(operation -> {
                    if (!operation.getKey().equals("parameters")) {
                        JsonNode security = operation.getValue().get("security");
                        described.put(
                                operation.getKey().toUpperCase(Locale.ROOT) + ' ' + path.getKey(),
                                security.isEmpty()
                                        ? "none"
                                        : security.get(0).get("key").get(0).asString());
                    }
                }));
        Map<String, String> routes = new TreeMap<>();
        for (Route route : gateway.gateway().backendRoutes()) {
            String scope = route.scope() == null ? "none" : route.scope().name().toLowerCase(Locale.ROOT);
            // Here they are open to all; usually they aren't.
            routes.put(route.method() + " " + route.template(), route.template().equals("/metrics") ? "read" : scope);
        }
        assertEquals(routes, described);
    }

    @Test
    void listsTheCodesOfTheDocs() throws Exception {
        List<String> codes = new ArrayList<>();
        document().get("components").get("schemas").get("Code").get("enum").forEach(code -> codes.add(code.asString()));
        assertEquals(new TreeSet<>(HttpApiPageTest.codes().keySet()), new TreeSet<>(codes));
    }

    // ---------------------------------------------------------------- against the running gateway

    private static Path schemathesis() {
        return Requirements.command("schemathesis");
    }

    private void run(Path folder, String... more) throws IOException, InterruptedException {
        for (String name : List.of("schemathesis.toml", "hooks.py")) {
            Files.copy(Path.of("src", "test", "resources", "schemathesis", name), folder.resolve(name));
        }
        Path output = folder.resolve("output");
        List<String> command =
                new ArrayList<>(List.of(schemathesis().toString(), "--config-file", "schemathesis.toml"));
        command.addAll(List.of("run", "http://127.0.0.1:" + gateway.backendPort() + "/v1/openapi.yaml"));
        command.addAll(List.of(more));
        command.addAll(List.of(
                "--seed", SEED, "--generation-deterministic", "--exclude-path", "/v1/node/drain", "--no-color"));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(2, TimeUnit.MINUTES);
        process.destroyForcibly();
        String text = Files.readString(output);
        assertTrue(ended, text);
        assertEquals(0, process.exitValue(), text);
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void schemathesisFindsNoDifference(@TempDir Path folder) throws Exception {
        run(
                folder,
                "--header",
                "Authorization: Bearer " + KEY,
                "--max-examples",
                "8",
                "--phases",
                "examples,coverage,fuzzing");
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void schemathesisIsRefusedAsDescribedWithoutAKey(@TempDir Path folder) throws Exception {
        run(
                folder,
                "--max-examples",
                "2",
                "--phases",
                "examples,fuzzing",
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
                        + "response_schema_conformance");
    }
}
