package io.barrage.loadtest;

import picocli.CommandLine.Option;

/** What is published. Used by one thread. */
final class MessageOptions {
    @Option(
            names = "--bytes",
            description = "Size of a message's data (default: ${DEFAULT-VALUE}).",
            defaultValue = "100")
    int bytes;
}
