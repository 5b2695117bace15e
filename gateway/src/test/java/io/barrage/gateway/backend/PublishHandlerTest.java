package io.barrage.gateway.backend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.barrage.gateway.broker.BrokerMetrics;
import io.barrage.gateway.broker.MemoryBroker;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.RecordingListener;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.Message;
import io.barrage.protocol.TopicName;
import org.junit.jupiter.api.Test;

class PublishHandlerTest {
    private final MemoryBroker broker = new MemoryBroker(
            System::nanoTime,
            topic -> ConfigReader.parse(NamespaceConfig.class, "name: " + topic.namespace()),
            BrokerMetrics.NOOP,
            64 << 20);
    private final PublishHandler handler = new PublishHandler(broker, 1 << 20, 1 << 16, BackendMetrics.NOOP);

    @Test
    void givesMessagesTheirTimeToLive() {
        RecordingListener listener = new RecordingListener();
        broker.attach(TopicName.of("room:42"), listener);
        publish("{\"topic\":\"room:42\",\"ttlMs\":5000,\"data\":1}");
        publish("{\"topic\":\"room:42\",\"data\":2}");
        Message mortal = listener.offered.get(0);
        assertEquals(5_000_000_000L, mortal.expiresNanos() - mortal.acceptedNanos());
        assertFalse(listener.offered.get(1).canExpire());
    }

    private void publish(String text) {
        handler.publish(handler.read(text.getBytes(UTF_8)), Caller.NOBODY).join();
    }
}
