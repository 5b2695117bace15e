package io.barrage.loadtest.compare;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A run that a comparison will make. Immutable.
 *
 * @param round counted from 1
 * @param first whether the server is started for it, rather than kept from an earlier round
 * @param last whether the server is stopped behind it, rather than kept for a later round
 */
record Turn(int round, Workload workload, Peer peer, boolean first, boolean last) {
    /** A process is started in this time, roughly; a JVM is slower. */
    private static final double START_SECONDS = 0.5;

    private static final double JVM_START_SECONDS = 2.5;
    private static final double CONNECTIONS_PER_SECOND = 1_500;
    private static final double REST_SECONDS = 0.7;

    /**
     * All of them, in their order.
     *
     * <p>The rounds are cut into as many parts as there are starts. Within a part one load comes behind the other, each with all
     * its rounds, so that a server that is kept has only its peers under the same load as idle neighbours; with as many starts
     * as rounds, none has any. Each round turns the order of the gateways around.
     */
    static List<Turn> of(ComparePlan plan, List<Peer> peers) {
        List<Turn> turns = new ArrayList<>();
        List<Peer> turnedAround = new ArrayList<>(peers);
        Collections.reverse(turnedAround);
        for (int part = 0; part < plan.starts(); part++) {
            int from = part * plan.rounds() / plan.starts() + 1;
            int to = (part + 1) * plan.rounds() / plan.starts();
            for (Workload workload : plan.workloads()) {
                for (int round = from; round <= to; round++) {
                    for (Peer peer : round % 2 == 1 ? peers : turnedAround) {
                        if (workload.unfit(peer.kind()).isEmpty()) {
                            turns.add(new Turn(round, workload, peer, round == from, round == to));
                        }
                    }
                }
            }
        }
        return turns;
    }

    /** How long it may take, roughly: nobody knows how fast this machine opens connections. */
    double seconds(ComparePlan plan) {
        double start = !first ? 0 : peer.compilesWhileRunning() ? JVM_START_SECONDS : START_SECONDS;
        double connections = (double) workload.topics() * plan.subscribers(workload);
        return start
                + connections / CONNECTIONS_PER_SECOND
                + plan.warmup(this).toMillis() / 1e3
                + plan.load().duration().toMillis() / 1e3
                + REST_SECONDS;
    }
}
