package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.Fanout;
import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.load.LoadException;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.ProgressLine;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Runs several gateways in turn under the same loads. Used by one thread.
 *
 * <p>The same program moves by a fifth over minutes on a shared machine, so gateways alternate within every round, each round
 * turns the order around, and only medians and ratios are reported. A server process sees one load only.
 */
public final class Comparison {
    private final ComparePlan plan;
    private final PrintStream log;
    private final Watcher watcher;
    private final Map<String, String> versions = new LinkedHashMap<>();
    private final Map<String, String> missing = new LinkedHashMap<>();
    private final List<Peer> peers = new ArrayList<>();
    private final List<ComparisonResult.Run> runs = new ArrayList<>();
    private final Map<String, PeerServer> kept = new HashMap<>();
    /** How many processes there were, by load and gateway. */
    private final Map<String, Integer> starts = new HashMap<>();

    /** Learns of each run. */
    public interface Watcher {
        /**
         * A run is over.
         *
         * @param soFar what the comparison would find if it ended here
         */
        void onRun(ComparisonResult soFar) throws IOException, InterruptedException;
    }

    private Comparison(ComparePlan plan, PrintStream log, Watcher watcher) {
        this.plan = plan;
        this.log = log;
        this.watcher = watcher;
    }

    /**
     * Runs it to its end.
     *
     * @param log learns what is going on
     * @param watcher is called behind each run, on this thread
     */
    public static ComparisonResult run(ComparePlan plan, PrintStream log, Watcher watcher)
            throws InterruptedException, IOException {
        return new Comparison(plan, log, watcher).run();
    }

    private ComparisonResult run() throws InterruptedException, IOException {
        for (Peer peer : plan.gateways()) {
            if (peer.missing().isPresent()) {
                missing.put(peer.name(), peer.missing().get());
                log.println("missing: " + peer.name() + ", " + peer.missing().get());
            } else {
                versions.put(peer.name(), peer.version());
                peers.add(peer);
            }
        }
        List<Turn> turns = Turn.of(plan, peers);
        double left = turns.stream().mapToDouble(turn -> turn.seconds(plan)).sum();
        double done = 0;
        long start = System.nanoTime();
        log.println(turns.size() + " runs, about " + inWords(left));
        try {
            for (Turn turn : turns) {
                double seconds = turn.seconds(plan);
                // The estimate errs for all runs alike, so what they took so far corrects it.
                double elapsed = (System.nanoTime() - start) / 1e9;
                double corrected = done == 0 ? left : left * elapsed / done;
                log.println("round " + turn.round() + "/" + plan.rounds() + ", " + turn.workload() + ", "
                        + turn.peer().name() + "  (run " + (runs.size() + 1) + " of " + turns.size() + ", about "
                        + inWords(corrected) + " left)");
                runs.add(runOnce(turn));
                watcher.onRun(result(turns.size()));
                left -= seconds;
                done += seconds;
            }
        } finally {
            for (PeerServer server : kept.values()) {
                server.close();
            }
        }
        return result(turns.size());
    }

    private static String inWords(double seconds) {
        return seconds < 90 ? Math.round(seconds) + " s" : String.format(Locale.ROOT, "%.0f min", seconds / 60);
    }

    private ComparisonResult result(int planned) {
        return new ComparisonResult(
                Environment.here(Fanout.transport()),
                plan.kinds().get(0).label(),
                new LinkedHashMap<>(versions),
                new LinkedHashMap<>(missing),
                plan.workloads().stream().map(Workload::label).toList(),
                planned,
                List.copyOf(runs),
                unfit());
    }

    private List<ComparisonResult.Unfit> unfit() {
        List<ComparisonResult.Unfit> unfit = new ArrayList<>();
        for (Workload workload : plan.workloads()) {
            for (Peer peer : peers) {
                workload.unfit(peer.kind())
                        .ifPresent(why -> unfit.add(new ComparisonResult.Unfit(workload.label(), peer.name(), why)));
            }
        }
        return List.copyOf(unfit);
    }

    private ComparisonResult.Run runOnce(Turn turn) throws InterruptedException, IOException {
        String name = turn.peer().name();
        String label = turn.workload().label();
        @Nullable FanoutResult result = null;
        String failure = "";
        boolean keep = false;
        try {
            @Nullable PeerServer server = kept.get(name);
            boolean fresh = server == null;
            if (server == null) {
                starts.merge(label + " " + name, 1, Integer::sum);
                server = PeerServer.start(turn.peer(), turn.workload());
                kept.put(name, server);
            }
            // One that failed in the last round is started anew, and is as cold as in the first.
            Turn asItIs = new Turn(turn.round(), turn.workload(), turn.peer(), fresh, turn.last());
            result = Fanout.run(fanout(asItIs, server), ProgressLine.toStandardError());
            result.print(log);
            keep = !turn.last();
            if (keep) {
                server.awaitQuiet();
            }
        } catch (LoadException | IOException | IllegalArgumentException e) {
            // Also what this machine can't do, such as so many connections: the other loads go on.
            keep = false;
            failure = result == null ? String.valueOf(e.getMessage()) : "";
            log.println("  FAILED: " + e.getMessage());
        }
        @Nullable PeerServer over = keep ? null : kept.remove(name);
        if (over != null) {
            over.close();
        }
        return new ComparisonResult.Run(
                turn.round(), starts.getOrDefault(label + " " + name, 0), label, name, result, failure);
    }

    private FanoutPlan fanout(Turn turn, PeerServer server) {
        FanoutPlan load = plan.load();
        Workload workload = turn.workload();
        return new FanoutPlan(
                server.target(),
                workload.topics(),
                plan.subscribers(workload),
                workload.window(),
                workload.rate(),
                workload.burst(),
                load.bytes(),
                plan.warmup(turn),
                load.duration(),
                load.patience(),
                load.connectTimeout(),
                load.threads(),
                Math.max(load.publishConnections(), workload.publishConnections()),
                load.samplesPerTopic(),
                load.maxOutstanding(),
                OptionalLong.of(server.pid()),
                turn.peer().forks());
    }
}
