package io.barrage.gateway.hub;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.protocol.Message;
import io.barrage.protocol.Priority;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What does it take to make a WebSocket frame of a message, and of 32 of them for {@code batch=1}, once per stream? */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FrameEncodingBenchmark {
    private static final int BATCH = 32;

    /** Bytes of a message's data. */
    @Param({"100", "1000"})
    public int dataBytes = 100;

    private final TopicName topic = TopicName.of("room:42");
    private final FrameEncoder encoder = new FrameEncoder();
    private final List<Message> messages = new ArrayList<>();

    @Setup
    public void makeMessages() {
        messages.clear();
        byte[] data = ("\"" + "x".repeat(dataBytes - 2) + "\"").getBytes(UTF_8);
        for (int i = 0; i < BATCH; i++) {
            messages.add(new Message.Draft(topic, data, Priority.NORMAL, "u7", 1_790_000_000_000L, 1)
                    .at(1_000_000L + i));
        }
    }

    @Benchmark
    public int oneMessage() {
        encoder.encode(messages.get(0));
        return encoder.length();
    }

    @Benchmark
    public int batchOf32() {
        encoder.encode(topic, messages);
        return encoder.length();
    }
}
