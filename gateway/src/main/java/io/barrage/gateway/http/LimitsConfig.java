package io.barrage.gateway.http;

import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.time.Duration;

/** How much one peer may ask for. Immutable. */
public record LimitsConfig(
        @Setting(
                value = "64KiB",
                min = "1KiB",
                max = "16MiB",
                doc = "Longest message: a publish's `data`, a client's frame, a line of NDJSON. What is longer is"
                        + " refused before it is read.")
        ByteSize messageBytes,

        @Setting(
                value = "1MiB",
                min = "1KiB",
                max = "64MiB",
                doc = "Longest body of a request, except NDJSON streams, which have no end.")
        ByteSize bodyBytes,

        @Setting(
                value = "0",
                min = "0",
                doc = "Most connections of clients; 0: no limit but the system's descriptors. More are closed with"
                        + " 4429.")
        int connections,

        @Setting(value = "128", min = "1", max = "100000", doc = "Most subscriptions of one connection.")
        int subscriptionsPerConnection,

        @Setting(
                value = "10s",
                min = "1s",
                max = "10m",
                doc = "A request's header must be complete within this time, and its body must make progress within"
                        + " it: peers that drip bytes don't hold connections.")
        Duration requestTimeout,

        @Setting(
                value = "75s",
                min = "1s",
                max = "1h",
                doc = "How long an HTTP connection without a request stays open. Longer than the idle timeout of a"
                        + " load balancer in front, which otherwise sends requests into closing connections.")
        Duration keepAliveTimeout)
        implements Checked {

    @Override
    public void check(Contradictions found) {
        if (bodyBytes.compareTo(messageBytes) < 0) {
            found.add(
                    "must hold at least one message of limits.messageBytes (" + messageBytes + ')',
                    "bodyBytes",
                    "messageBytes");
        }
    }
}
