package io.barrage.loadtest;

import io.barrage.loadtest.target.BarrageTarget;
import java.time.Duration;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;

/** What the scenarios share that only Barrage knows: whom they load, and whose process they read. Used by one thread. */
final class ScenarioOptions {
    @Mixin
    private TargetOptions target = new TargetOptions();

    @Mixin
    private CrowdOptions crowd = new CrowdOptions();

    @Mixin
    private ServerOptions server = new ServerOptions();

    BarrageTarget target() {
        return target.barrage();
    }

    Duration connectTimeout() {
        return crowd.connectTimeout;
    }

    /** @throws IllegalArgumentException if there is no such process */
    OptionalLong pid() {
        return server.pid();
    }
}
