package io.barrage.gateway.metrics;

import io.barrage.gateway.config.Setting;

/** Who may read the metrics. Immutable. */
public record MetricsConfig(
        @Setting(
                value = "false",
                doc = "Whether `/metrics` answers without an API key. Otherwise it needs one with scope `read`, once"
                        + " there are keys.")
        boolean open) {}
