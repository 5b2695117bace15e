package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.RetractResult;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.RetractRequest;
import io.barrage.protocol.TopicName;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;

/** {@code POST /v1/topics/{topic}/retract}: takes messages back, from every screen and the history. Thread-safe. */
public final class RetractHandler implements Resource {
    /** Room for the most offsets that there may be, and for white space among them. */
    private static final int MAX_BODY_BYTES = 64 * 1024;

    private final Broker broker;

    public RetractHandler(Broker broker) {
        this.broker = broker;
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(HttpMethod.POST, "/v1/topics/{topic}/retract", Scope.CONTROL, this::retract));
    }

    private BodyReader retract(Call call) {
        TopicName topic = call.topic();
        call.query();
        return call.json(MAX_BODY_BYTES, body -> {
            RetractRequest request = RetractRequest.parse(body);
            call.answer(
                    request.sender() == null
                            ? broker.retract(topic, request.offsets())
                            : broker.retractAllOf(topic, request.sender()),
                    result -> response(topic, result));
        });
    }

    private static Response response(TopicName topic, RetractResult result) {
        if (result instanceof RetractResult.Refused refused) {
            Response problem = Problem.of(new ProtocolException(refused.code(), refused.message()));
            return refused.retryAfterMillis() > 0
                    ? problem.with("retry-after", Long.toString((refused.retryAfterMillis() + 999) / 1000))
                    : problem;
        }
        int count = ((RetractResult.Retracted) result).count();
        return Json.answer(out -> {
            out.writeStringProperty("topic", topic.toString());
            out.writeNumberProperty("retracted", count);
        });
    }
}
