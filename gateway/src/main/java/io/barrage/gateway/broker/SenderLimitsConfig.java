package io.barrage.gateway.broker;

import io.barrage.gateway.config.Rate;
import io.barrage.gateway.config.Setting;
import java.time.Duration;

/** How much one sender may publish on a topic. Messages of priority high and critical aren't limited. Immutable. */
public record SenderLimitsConfig(
        @Setting(
                value = "none",
                doc = "Slow mode: how much each sender may publish on a topic; more is refused with 429"
                        + " `rate_limited`. `2/m` is a line every 30 seconds.")
        Rate perSender,

        @Setting(
                value = "0s",
                max = "1h",
                doc = "A sender's publish with the same `data` as its last one on the topic within this time is refused"
                        + " with 429 `repeated`; 0s: it may repeat itself.")
        Duration repeatWindow) {}
