package io.barrage.gateway.hub;

import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Setting;

/** How much memory messages may take on their way. Immutable. */
public record MemoryConfig(
        @Setting(
                value = "16MiB",
                min = "64KiB",
                doc = "Messages that wait for one event loop. When it is full, publishes are refused with 503"
                        + " `overloaded`.")
        ByteSize queue,

        @Setting(
                value = "256MiB",
                min = "1MiB",
                doc = "Direct memory of all topic logs of this node. Raise it, and the JVM's"
                        + " `-XX:MaxDirectMemorySize` with it, when many topics have many subscriptions."
                        + " Over it, the logs that the longest-stalled connections wait for are dropped, and they read on from"
                        + " the tail.")
        ByteSize log,

        @Setting(
                value = "64MiB",
                min = "1MiB",
                doc = "Trimmed parts of topic logs that slow sockets still hold. Over it, the connections that hold"
                        + " the oldest are closed with 4408.")
        ByteSize pinned,

        @Setting(
                value = "128MiB",
                min = "1MiB",
                doc = "Messages that all topics together keep on the heap, for histories and for those that are behind."
                        + " Over it, a topic drops two or more of its old messages for each new one.")
        ByteSize tail) {}
