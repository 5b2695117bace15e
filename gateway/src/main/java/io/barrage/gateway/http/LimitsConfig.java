package io.barrage.gateway.http;

import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Rate;
import io.barrage.gateway.config.Setting;
import java.time.Duration;

/** How much one peer may ask for. Immutable. */
public record LimitsConfig(
        @Setting(
                value = "64KiB",
                min = "1KiB",
                max = "16MiB",
                doc = "Longest message: a publish's `data`, a client's frame, a line of NDJSON. What is longer is"
                        + " refused before it is read.",
                restart = true)
        ByteSize messageBytes,

        @Setting(
                value = "1MiB",
                min = "1KiB",
                max = "64MiB",
                doc = "Longest body of a request, except NDJSON streams, which have no end.",
                restart = true)
        ByteSize bodyBytes,

        @Setting(
                value = "0",
                min = "0",
                doc =
                        "Most connections of clients; more are closed with 4429. 0: as many as the process may have files open"
                                + " (`ulimit -n`), less what the rest needs: those that it has when it starts, one for each of"
                                + " `hooks.*.maxInFlight`, and 64 to 1,024 for backends and newcomers.")
        int connections,

        @Setting(
                value = "1000",
                min = "0",
                doc = "Most connections of one user on a node; 0: no limit. More are closed with 4429.")
        int connectionsPerUser,

        @Setting(
                value = "10000",
                min = "0",
                doc = "Most connections of one address on a node, by IPv6's first 64 bits; 0: no limit. More are closed"
                        + " with 4429. Thousands of people may share an address; behind a proxy all do, unless"
                        + " `clients.trustedProxies` names it.")
        int connectionsPerAddress,

        @Setting(
                value = "10000/s",
                doc =
                        "Most WebSocket handshakes of a node, a second's worth at once. More are refused with 503 before any"
                                + " work, and browsers try again: a herd that comes back takes its time. Set it to what the"
                                + " machine carries.")
        Rate handshakes,

        @Setting(
                value = "500/s",
                doc = "Most WebSocket handshakes of one address, so that it can't use up those of all.")
        Rate handshakesPerAddress,

        @Setting(
                value = "false",
                doc =
                        "Whether limits by address hold for loopback's, too: for a proxy on the same machine that names no"
                                + " client.")
        boolean countLoopback,

        @Setting(
                value = "500/s",
                min = "1/s",
                doc =
                        "Most frames of one connection, publishes and control frames among them. A faster client is read more"
                                + " slowly, and nothing of it is refused; one that is 10 s ahead is closed with 4429. It is told"
                                + " by an `error`, `rate_limited`. Raise it, or write `none`, for programs that publish much over"
                                + " one WebSocket; no page needs that.")
        Rate inbound,

        @Setting(
                value = "1000/s",
                min = "1/s",
                doc = "The same for frames that aren't publishes: pings, subscribes, what isn't understood. For where"
                        + " `inbound` lets more pass.")
        Rate requests,

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
