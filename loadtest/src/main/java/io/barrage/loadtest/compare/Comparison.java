package io.barrage.loadtest.compare;

import io.barrage.loadtest.load.Fanout;
import io.barrage.loadtest.load.FanoutPlan;
import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.load.LoadException;
import io.barrage.loadtest.measure.Environment;
import io.barrage.loadtest.measure.ProgressLine;
import io.barrage.loadtest.target.Target;
import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs several gateways in turn under the same loads. Used by one thread.
 *
 * <p>The same program moves by a fifth over minutes on a shared machine, so gateways alternate within every round, each round
 * turns the order around, and only medians and ratios are reported. Every run has a server process of its own.
 */
public final class Comparison {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

    private final ComparePlan plan;
    private final PrintStream log;

    private Comparison(ComparePlan plan, PrintStream log) {
        this.plan = plan;
        this.log = log;
    }

    /**
     * Runs it to its end.
     *
     * @param log learns what is going on
     */
    public static ComparisonResult run(ComparePlan plan, PrintStream log) throws InterruptedException, IOException {
        return new Comparison(plan, log).run();
    }

    private ComparisonResult run() throws InterruptedException, IOException {
        Map<String, String> versions = new LinkedHashMap<>();
        Map<String, String> missing = new LinkedHashMap<>();
        List<Peer> peers = new ArrayList<>();
        for (TargetKind kind : plan.kinds()) {
            Peer peer = peer(kind);
            if (peer.missing().isPresent()) {
                missing.put(kind.label(), peer.missing().get());
                log.println("missing: " + kind.label() + ", " + peer.missing().get());
            } else {
                versions.put(kind.label(), peer.version());
                peers.add(peer);
            }
        }
        List<ComparisonResult.Run> runs = new ArrayList<>();
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Workload workload : plan.workloads()) {
                for (Peer peer : peers) {
                    log.println("round " + round + "/" + plan.rounds() + ", " + workload + ", "
                            + peer.kind().label());
                    runs.add(runOnce(round, workload, peer));
                }
            }
            Collections.reverse(peers);
        }
        return new ComparisonResult(
                Environment.here(Fanout.transport()),
                versions,
                missing,
                plan.workloads().stream().map(Workload::label).toList(),
                List.copyOf(runs));
    }

    private Peer peer(TargetKind kind) {
        return switch (kind) {
            case BARRAGE -> JavaPeer.barrage(plan.jvm(), plan.gatewayJar());
            case NETTY_GROUP -> JavaPeer.naive(plan.jvm());
            case NCHAN -> NchanPeer.installed();
        };
    }

    private ComparisonResult.Run runOnce(int round, Workload workload, Peer peer)
            throws InterruptedException, IOException {
        InetSocketAddress clients = freePort();
        InetSocketAddress backend = freePort();
        Target target = peer.kind().at(clients, backend);
        Path directory = Files.createTempDirectory("loadtest-");
        @Nullable FanoutResult result = null;
        String failure = "";
        try (ServerProcess server = ServerProcess.start(
                peer.command(clients.getPort(), backend.getPort(), directory),
                directory,
                backend,
                target.readyPath(),
                START_TIMEOUT)) {
            result = Fanout.run(fanout(workload, target, server.pid(), peer.forks()), ProgressLine.toStandardError());
            result.print(log);
        } catch (LoadException | IOException e) {
            failure = String.valueOf(e.getMessage());
            log.println("  FAILED: " + failure);
        } finally {
            deleteTree(directory);
        }
        return new ComparisonResult.Run(round, workload.label(), peer.kind().label(), result, failure);
    }

    private FanoutPlan fanout(Workload workload, Target target, long pid, boolean tree) {
        FanoutPlan load = plan.load();
        return new FanoutPlan(
                target,
                workload.topics(),
                Math.max(1, workload.subscribers() / plan.divideSubscribersBy()),
                workload.window(),
                OptionalDouble.empty(),
                workload.burst(),
                load.bytes(),
                load.warmup(),
                load.duration(),
                load.patience(),
                load.connectTimeout(),
                load.threads(),
                load.publishConnections(),
                load.samplesPerTopic(),
                load.maxOutstanding(),
                OptionalLong.of(pid),
                tree);
    }

    /** Free a moment ago; whoever takes it meanwhile makes the server's start fail, in words. */
    private static InetSocketAddress freePort() throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket socket = new ServerSocket(0, 1, loopback)) {
            return new InetSocketAddress(loopback, socket.getLocalPort());
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
