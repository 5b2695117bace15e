package io.barrage.gateway.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.protocol.ClientFrame;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What does it take to read what a client says, from the bytes of its frame? */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CommandParsingBenchmark {
    private final byte[] ping = "{\"type\":\"ping\",\"id\":7}".getBytes(UTF_8);
    private final byte[] subscribe =
            "{\"type\":\"subscribe\",\"id\":2,\"topic\":\"room:42\",\"since\":{\"epoch\":\"k3x9\",\"offset\":17}}"
                    .getBytes(UTF_8);
    private final byte[] publish = ("{\"type\":\"publish\",\"id\":4,\"topic\":\"room:42\",\"messageId\":\"8d1f\",\"data\":\""
                    + "x".repeat(98) + "\"}")
            .getBytes(UTF_8);

    @Benchmark
    public ClientFrame ping() {
        return ClientFrame.parse(ping);
    }

    @Benchmark
    public ClientFrame subscribe() {
        return ClientFrame.parse(subscribe);
    }

    @Benchmark
    public ClientFrame publish() {
        return ClientFrame.parse(publish);
    }
}
