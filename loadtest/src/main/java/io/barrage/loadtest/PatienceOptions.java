package io.barrage.loadtest;

import java.time.Duration;
import picocli.CommandLine.Option;

/** How long a run waits for the last of what it is owed; each command has its own default. Used by one thread. */
final class PatienceOptions {
    // A text, since the help shows a default as the field writes itself.
    @Option(
            names = "--patience",
            paramLabel = "DURATION",
            description = "How long what is outstanding may take behind the load: answers, handshakes, the last values"
                    + " (default: ${DEFAULT-VALUE}).")
    private String patience;

    PatienceOptions(String patience) {
        this.patience = patience;
    }

    Duration patience() {
        return Durations.parse(patience);
    }
}
