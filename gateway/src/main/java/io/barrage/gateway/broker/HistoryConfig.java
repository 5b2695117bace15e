package io.barrage.gateway.broker;

import io.barrage.gateway.config.Setting;
import java.time.Duration;

/** What is kept of each topic for those who come back, or come late. Immutable. */
public record HistoryConfig(
        @Setting(
                value = "0",
                min = "0",
                max = "1000000",
                doc = "Messages of each topic that a client can recover or ask for; 0: none.")
        int size,

        @Setting(value = "10m", min = "1s", max = "24h", doc = "For how long.")
        Duration ttl) {}
