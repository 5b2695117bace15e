package io.barrage.gateway.net;

import io.barrage.gateway.config.Setting;

/** The event loops under both listeners. Immutable. */
public record ServerConfig(
        @Setting(
                value = "auto",
                doc = "What carries the sockets: `auto` is `epoll` where it is available (Linux) and `nio` elsewhere;"
                        + " `io_uring` is only used if asked for.")
        TransportKind transport,

        @Setting(
                value = "0",
                min = "0",
                max = "1024",
                doc = "Event loops; 0: one per core. Fewer leave cores to something else on the machine.")
        int loops) {}
