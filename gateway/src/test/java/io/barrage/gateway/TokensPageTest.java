package io.barrage.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jwt.SignedJWT;
import io.barrage.gateway.auth.AuthConfig;
import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.TokenFixture;
import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.TopicName;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the page about tokens shows does what it says. */
class TokensPageTest {
    private String page;

    @TempDir
    private Path folder;

    @BeforeEach
    void read() throws Exception {
        page = Files.readString(Path.of("..", "docs", "tokens.md"));
    }

    private List<String> examples(String language) {
        return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                .matcher(page)
                .results()
                .map(result -> result.group(1))
                .toList();
    }

    @Test
    void showsConfigurationsThatWork() {
        List<String> examples = examples("yaml");
        assertEquals(2, examples.size());
        examples.forEach(yaml -> ConfigReader.parse(GatewayConfig.class, yaml));
    }

    @Test
    void showsClaimsThatAreUnderstood() {
        String claims = examples("json claims").get(0);
        TokenVerifier.checkClaims(claims);
        Matcher rows = Pattern.compile("(?m)^\\| `(\\w+)` \\|").matcher(page);
        List<String> described = rows.results().map(row -> row.group(1)).toList();
        Pattern.compile("(?m)^  \"(\\w+)\":")
                .matcher(claims)
                .results()
                .forEach(claim -> assertTrue(described.contains(claim.group(1)), claim.group(1)));
    }

    @Test
    void showsJavaThatMakesTokens() throws Exception {
        Path source = folder.resolve("MakeToken.java");
        Files.writeString(source, examples("java").get(0));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Path library = Path.of(SignedJWT.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        StringWriter said = new StringWriter();
        boolean compiled = compiler.getTask(
                        said,
                        null,
                        null,
                        List.of("-proc:none", "-cp", library.toString(), "-d", folder.toString()),
                        null,
                        compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
                .call();
        assertTrue(compiled, said.toString());
        try (URLClassLoader loader = new URLClassLoader(
                new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            String token = (String) loader.loadClass("MakeToken")
                    .getMethod("token", String.class)
                    .invoke(null, TokenFixture.SECRET);
            AuthConfig auth = ConfigReader.parse(
                    AuthConfig.class,
                    "{keys: [{kid: k1, alg: HS256, secret: " + TokenFixture.SECRET + "}], audience: barrage}");
            Grant grant = TokenVerifier.of(auth).verify(token).join();
            assertEquals("u7", grant.user());
            assertTrue(grant.subscribe().match(TopicName.of("private:7")));
        }
    }
}
