package io.barrage.gateway.hub;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.WebSocketFrames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What do a drain's two halves cost without sockets: appending all that waits to a topic's log, and giving 1,000 subscriptions
 * that keep up the run of bytes to write? Per drain, not per message and not per subscription.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TopicLogBenchmark {
    private static final int SUBSCRIPTIONS = 1_000;

    /** Messages that wait for the drain. */
    @Param({"1", "32"})
    public int waiting = 1;

    private final SegmentStore store = new SegmentStore(PooledByteBufAllocator.DEFAULT);
    private final TopicLog log = new TopicLog(store, new TopicRules("room", 1024, 1 << 20, false, 0, 0, false), 0);
    private final TopicLog.Content content = new TopicLog.Content();
    private final Message.Draft draft = new Message.Draft(
            TopicName.of("room:42"),
            ("\"" + "x".repeat(98) + "\"").getBytes(UTF_8),
            Priority.NORMAL,
            "u7",
            1_790_000_000_000L,
            1);
    private byte[] frame = {};
    private long offset;

    @Setup
    public void encode() {
        Message message = draft.at(1_000_000);
        frame = new byte[WebSocketFrames.length(message)];
        WebSocketFrames.put(frame, 0, message);
    }

    @TearDown
    public void close() {
        log.close();
        store.close();
    }

    @Benchmark
    public long append() {
        for (int i = 0; i < waiting; i++) {
            log.append(frame, 0, frame.length, content.clear().add(draft.at(++offset)));
        }
        log.readTo(log.headFrame(), log.headPosition());
        return log.headFrame();
    }

    @Benchmark
    public long appendAndDrain() {
        long cursor = log.headFrame();
        for (int i = 0; i < waiting; i++) {
            log.append(frame, 0, frame.length, content.clear().add(draft.at(++offset)));
        }
        long bytes = 0;
        for (int i = 0; i < SUBSCRIPTIONS; i++) {
            for (long at = cursor; at < log.headFrame(); ) {
                TopicLog.Run run = log.run(at);
                bytes += run.length() + run.messageCount();
                at = run.toFrame();
            }
        }
        log.readTo(log.headFrame(), log.headPosition());
        return bytes;
    }

    /** The same if no socket takes it at once, so that the transport shares the log. */
    @Benchmark
    public long appendAndDrainToFullSockets() {
        long cursor = log.headFrame();
        for (int i = 0; i < waiting; i++) {
            log.append(frame, 0, frame.length, content.clear().add(draft.at(++offset)));
        }
        long bytes = 0;
        for (int i = 0; i < SUBSCRIPTIONS; i++) {
            for (long at = cursor; at < log.headFrame(); ) {
                TopicLog.Run run = log.run(at);
                ByteBuf slice = run.slice(0);
                bytes += slice.readableBytes();
                slice.release();
                at = run.toFrame();
            }
        }
        log.readTo(log.headFrame(), log.headPosition());
        return bytes;
    }
}
