package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.target.TargetKind;
import java.nio.file.Path;
import java.util.List;

/**
 * What a comparison shall do. Immutable.
 *
 * @param kinds which gateways; the first is what the others are compared with
 * @param workloads under which loads
 * @param rounds how often everything is repeated
 * @param gatewayJar Barrage's jar
 * @param jvm path and options of the Java that runs servers
 * @param load what all runs have in common; its target, topics, subscribers, window, burst and pid are filled in
 * @param divideSubscribersBy for a quick look, not for figures: makes every workload smaller
 */
public record ComparePlan(
        List<TargetKind> kinds,
        List<Workload> workloads,
        int rounds,
        Path gatewayJar,
        List<String> jvm,
        FanoutPlan load,
        int divideSubscribersBy) {
    public ComparePlan {
        kinds = List.copyOf(kinds);
        workloads = List.copyOf(workloads);
        jvm = List.copyOf(jvm);
        if (kinds.isEmpty() || workloads.isEmpty() || rounds < 1 || divideSubscribersBy < 1) {
            throw new IllegalArgumentException("a comparison needs a target, a workload and a round");
        }
    }
}
