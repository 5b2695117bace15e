package io.barrage.gateway.broker;

import io.barrage.gateway.config.Setting;
import java.time.Duration;

/** How far {@code presence: members} goes. Immutable. */
public record MembersConfig(
        @Setting(
                value = "1000",
                min = "1",
                max = "10000",
                doc = "Up to so many users a topic's subscribers are told of each who comes and goes, and are given the"
                        + " whole list. In a larger room they are told how many there are, a hundred names, and that this"
                        + " isn't all.")
        int max,

        @Setting(
                value = "5s",
                min = "0s",
                max = "1h",
                doc = "Somebody who is back within this time, from a page reload or a tunnel, hasn't left.")
        Duration grace) {}
