package io.barrage.gateway.backend;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.PublishRequest;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What does a publish cost without HTTP: reading its JSON, and reading it and publishing to a topic without subscriptions?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PublishBenchmark {
    /** Bytes of a message's data. */
    @Param({"100", "1000"})
    public int dataBytes = 100;

    private final MemoryBroker broker = new MemoryBroker(
            System::nanoTime,
            topic -> ConfigReader.parse(NamespaceConfig.class, "name: " + topic.namespace()),
            BrokerMetrics.NOOP,
            64 << 20);
    private final PublishHandler handler = new PublishHandler(broker, 1 << 20, 1 << 16, BackendMetrics.NOOP);
    private byte[] body = {};

    @Setup
    public void makeBody() {
        body = ("{\"topic\":\"room:42\",\"sender\":\"u7\",\"data\":\"" + "x".repeat(dataBytes - 2) + "\"}").getBytes(UTF_8);
    }

    @Benchmark
    public PublishRequest parse() {
        return PublishRequest.parse(body);
    }

    @Benchmark
    public Object parseAndPublish() {
        return handler.publish(handler.read(body), Caller.NOBODY).join();
    }
}
