package io.barrage.loadtest;

import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The topic of a command that doesn't take one of its own; each command has its own default. Used by one thread. */
final class TopicOptions {
    private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._~=:-]{0,199}");

    @Option(names = "--topic", description = "Topic to publish to (default: ${DEFAULT-VALUE}).")
    private String topic;

    TopicOptions(String topic) {
        this.topic = topic;
    }

    /** @throws IllegalArgumentException if no gateway takes such a topic */
    String topic() {
        if (!TOPIC.matcher(topic).matches()) {
            throw new IllegalArgumentException(
                    "--topic '" + topic + "': 1 to 200 of A-Z a-z 0-9 . _ ~ = : -, starting with a letter or digit");
        }
        return topic;
    }
}
