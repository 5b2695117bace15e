package io.barrage.gateway.hub;

/** What a shard needs of its event loop. Thread-safe. */
public interface Loop {
    /** Whether the caller runs on it. */
    boolean inLoop();

    /** Runs {@code task} soon, perhaps before any more I/O. */
    void execute(Runnable task);

    /** Runs {@code task} after the loop has looked for I/O once more. */
    void executeAfterIo(Runnable task);

    /** Runs {@code task} when {@code nanos} have passed. */
    void executeAfter(Runnable task, long nanos);

    /** The {@link System#nanoTime} clock. */
    long nanoTime();
}
