package io.barrage.gateway.clients;

import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.time.Duration;

/** How a node that stops says goodbye to its connections. Immutable. */
public record DrainConfig(
        @Setting(
                value = "20s",
                min = "0s",
                max = "1h",
                doc = "How long a node that stops waits for its connections to leave; then it closes them. Keep it"
                        + " below the grace period of whatever stops the process (Kubernetes: 30 s).")
        Duration deadline,

        @Setting(
                value = "5s",
                min = "0s",
                max = "1h",
                doc = "Over how much time the reconnects are spread. Raise it when the remaining nodes can't take"
                        + " all of them at once.")
        Duration spread)
        implements Checked {

    @Override
    public void check(Contradictions found) {
        if (spread.compareTo(deadline) > 0) {
            found.add(
                    "must not be longer than drain.deadline, after which nobody is left to spread",
                    "spread",
                    "deadline");
        }
    }
}
