package io.barrage.loadtest.compare;

import io.barrage.loadtest.target.TargetKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A gateway that a comparison can start. Immutable. */
interface Peer {
    /** How it is driven. */
    TargetKind kind();

    /** What it is called in tables: by its kind, unless there are several of one. */
    default String name() {
        return kind().label();
    }

    /** Why it can't take part, in words; empty if it can. */
    Optional<String> missing();

    /** What exactly is being measured. */
    String version();

    /** Whether its workers are processes of their own. */
    boolean forks();

    /**
     * The command that serves on these ports in the foreground.
     *
     * @param workload what it will be put under
     * @param directory an empty directory for its files
     */
    List<String> command(Workload workload, int clientsPort, int backendPort, Path directory) throws IOException;

    /** Whether a just-in-time compiler takes CPU time for the first ten seconds or more of a load. */
    default boolean compilesWhileRunning() {
        return false;
    }
}
