package io.barrage.gateway.broker;

import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Setting;

/** How much of each topic's recent past is kept for connections that fall behind. Immutable. */
public record TopicLogConfig(
        @Setting(
                value = "1024",
                min = "16",
                max = "1000000",
                doc = "Messages of each topic that are kept for connections that fall behind; what comes first of"
                        + " this and `bytes` counts.")
        int size,

        @Setting(
                value = "1MiB",
                min = "16KiB",
                max = "1GiB",
                doc = "Bytes of each topic that are kept, at least twice `limits.messageBytes` and 2KiB of room.")
        ByteSize bytes) {}
