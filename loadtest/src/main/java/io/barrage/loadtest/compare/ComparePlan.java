package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.target.TargetKind;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a comparison shall do. Immutable.
 *
 * @param kinds which gateways; the first is what the others are compared with
 * @param variants Barrage in other ways, behind those
 * @param workloads under which loads
 * @param rounds how often everything is repeated
 * @param starts in how many of the rounds each gateway's process is started anew for each load; in those between it is kept
 * @param peers where they are and how they are started
 * @param jvmWarmup how long the load runs on servers on a JVM before anything counts, if that is longer than {@code load}'s
 * @param rewarmup the same for servers that are kept from an earlier round
 * @param load what all runs have in common; its target, topics, subscribers, pacing and pid are filled in
 * @param divideSubscribersBy for a quick look, not for figures: makes every workload smaller
 */
public record ComparePlan(
        List<TargetKind> kinds,
        List<Variant> variants,
        List<Workload> workloads,
        int rounds,
        int starts,
        Peers peers,
        Duration jvmWarmup,
        Duration rewarmup,
        FanoutPlan load,
        int divideSubscribersBy) {
    public ComparePlan {
        kinds = kinds.stream().distinct().toList();
        variants = List.copyOf(variants);
        workloads = workloads.stream().distinct().toList();
        if (kinds.isEmpty() || workloads.isEmpty() || rounds < 1 || divideSubscribersBy < 1) {
            throw new IllegalArgumentException("a comparison needs a target, a workload and a round");
        }
        if (starts < 1 || starts > rounds) {
            throw new IllegalArgumentException("starts: " + starts + " is not from 1 to the " + rounds + " rounds");
        }
        checkNames(variants);
    }

    /** Runs are told apart by their gateway's name. */
    private static void checkNames(List<Variant> variants) {
        Set<String> names = Arrays.stream(TargetKind.values())
                .map(TargetKind::label)
                .collect(Collectors.toCollection(HashSet::new));
        for (Variant variant : variants) {
            if (!names.add(variant.name())) {
                throw new IllegalArgumentException("variant " + variant.name() + ": the name is another gateway's");
            }
        }
    }

    /** All gateways, in the order of the command line. */
    List<Peer> gateways() {
        return Stream.concat(kinds.stream().map(peers::of), variants.stream().map(peers::of))
                .toList();
    }

    /** What runs under a load before anything counts. */
    Duration warmup(Turn turn) {
        if (!turn.first()) {
            return rewarmup;
        }
        boolean longer = turn.peer().compilesWhileRunning() && jvmWarmup.compareTo(load.warmup()) > 0;
        return longer ? jvmWarmup : load.warmup();
    }

    /** Subscribers of each topic. */
    int subscribers(Workload workload) {
        return workload.subscribers() == 0 ? 0 : Math.max(1, workload.subscribers() / divideSubscribersBy);
    }
}
