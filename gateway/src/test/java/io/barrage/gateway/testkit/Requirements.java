package io.barrage.gateway.testkit;

import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import org.opentest4j.TestAbortedException;

/**
 * What a test needs of its machine. Where it is missing, the test is aborted and says so; on a CI machine it fails, so that no
 * check is lost unseen.
 */
public final class Requirements {
    private Requirements() {}

    /** The first of {@code names} that is a program on the path. */
    public static Path command(String... names) {
        for (String name : names) {
            for (String folder : System.getenv("PATH").split(":", -1)) {
                Path program = Path.of(folder, name);
                if (Files.isExecutable(program)) {
                    return program;
                }
            }
        }
        return missing("this test needs one of these programs on the path: " + String.join(", ", names));
    }

    /** Something else that not every machine has. */
    public static void that(boolean available, String what) {
        if (!available) {
            missing("this test needs " + what);
        }
    }

    private static Path missing(String what) {
        if (System.getenv("CI") != null) {
            return fail(what);
        }
        throw new TestAbortedException(what);
    }
}
