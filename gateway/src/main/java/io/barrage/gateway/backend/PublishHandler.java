package io.barrage.gateway.backend;

import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.PublishRequest.Target;
import io.netty.handler.codec.http.HttpMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Step 1 of 5: {@code POST /v1/publish}. Takes one message to one or many targets, or a stream of such. Next:
 * {@link io.barrage.gateway.broker.MemoryBroker#publish}.
 *
 * <p>Thread-safe. The data is never parsed again after this.
 */
public final class PublishHandler implements Resource {
    private final Broker broker;
    private final int maxBodyBytes;
    private final int maxMessageBytes;
    private final PublishRates rates = new PublishRates(System::nanoTime);
    private final BackendMetrics metrics;

    public PublishHandler(Broker broker, int maxBodyBytes, int maxMessageBytes, BackendMetrics metrics) {
        this.broker = broker;
        this.metrics = metrics;
        this.maxBodyBytes = maxBodyBytes;
        this.maxMessageBytes = maxMessageBytes;
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(HttpMethod.POST, "/v1/publish", Scope.PUBLISH, this::open));
    }

    private BodyReader open(Call call) {
        call.query();
        call.requireIdentity();
        return switch (call.exchange().contentType()) {
            case "application/json" -> BodyReader.whole(maxBodyBytes, body -> publish(call, body));
            case "application/x-ndjson" -> new PublishStream(call, this, maxMessageBytes);
            default ->
                throw new ProtocolException(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                        "a publish is application/json or application/x-ndjson: set the Content-Type field");
        };
    }

    private void publish(Call call, byte[] body) {
        PublishRequest request = read(body);
        long waitNanos = takeAllowance(call.caller(), request);
        if (waitNanos > 0) {
            metrics.overRate(call.caller().name());
            call.exchange().respond(overRate(call.caller(), waitNanos));
        } else {
            call.answer(publish(request, call.caller()), PublishHandler::response);
        }
    }

    private static Response overRate(Caller caller, long waitNanos) {
        return retryAfter(
                Problem.of(
                        ErrorCode.RATE_LIMITED,
                        "API key '" + caller.name() + "' is over its rate: nothing was published, try again in "
                                + (waitNanos + 999_999) / 1_000_000 + " ms"),
                (waitNanos + 999_999) / 1_000_000);
    }

    private static Response retryAfter(Response problem, long millis) {
        return problem.with("retry-after", Long.toString((millis + 999) / 1000));
    }

    private static Response response(Answers answers) {
        Answer only = answers.answers.get(0);
        if (!answers.single) {
            return Response.json(PublishAnswers.results(answers.answers));
        }
        if (only.error != null) {
            Response problem = Problem.of(only.error);
            return only.result instanceof PublishResult.Refused refused && refused.retryAfterMillis() > 0
                    ? retryAfter(problem, refused.retryAfterMillis())
                    : problem;
        }
        return Response.json(PublishAnswers.single(only));
    }

    /** What became of one target, and the error if it was refused. Immutable. */
    record Answer(
            Target target,
            @Nullable PublishResult result,
            @Nullable ProtocolException error) {}

    /** What became of one publish. Immutable. */
    record Answers(boolean single, List<Answer> answers) {}

    /**
     * Reads what is asked for.
     *
     * @throws ProtocolException if it can't be understood as a whole
     */
    PublishRequest read(byte[] text) {
        PublishRequest request = PublishRequest.parse(text);
        if (request.data().length > maxMessageBytes) {
            throw new ProtocolException(
                    ErrorCode.TOO_LARGE,
                    "a message's data has at most " + maxMessageBytes + " bytes, this has " + request.data().length);
        }
        return request;
    }

    /** Takes a publish out of what its caller may; if nothing is left of that, how long it has to wait, in nanoseconds. */
    long takeAllowance(Caller caller, PublishRequest request) {
        return rates.take(caller, request.targets().size());
    }

    /** Notes that a stream is made to wait for its caller's allowance. */
    void slowed(Caller caller) {
        metrics.slowed(caller.name());
    }

    /** Notes that a stream had a line that was too large. */
    void tooLarge() {
        metrics.tooLarge();
    }

    /** Publishes to each target by itself: one's failure isn't another's. */
    CompletableFuture<Answers> publish(PublishRequest request, Caller caller) {
        long time = System.currentTimeMillis();
        long nanos = System.nanoTime();
        if (request.targets().size() == 1) {
            return publishTo(request.targets().get(0), request, caller, time, nanos)
                    .thenApply(answer -> new Answers(request.single(), List.of(answer)));
        }
        List<CompletableFuture<Answer>> parts =
                new ArrayList<>(request.targets().size());
        for (Target target : request.targets()) {
            parts.add(publishTo(target, request, caller, time, nanos));
        }
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .thenApply(ignored -> new Answers(
                        request.single(),
                        parts.stream().map(CompletableFuture::join).toList()));
    }

    private CompletableFuture<Answer> publishTo(
            Target target, PublishRequest request, Caller caller, long time, long nanos) {
        if (target.topic() == null) {
            return CompletableFuture.completedFuture(new Answer(target, null, target.error()));
        }
        if (caller.key() != null && !caller.key().mayPublishTo(target.topic())) {
            return CompletableFuture.completedFuture(new Answer(
                    target,
                    null,
                    new ProtocolException(
                            ErrorCode.NOT_PERMITTED,
                            "API key '" + caller.name() + "' may not publish to "
                                    + Printable.of(target.topic().toString()) + ", but to "
                                    + caller.key().topics())));
        }
        String id = request.messageId();
        Broker.MessageId messageId = id == null ? null : new Broker.MessageId("key " + caller.name(), id);
        if (request.value() != null) {
            return broker.publish(target.topic(), request.value(), messageId)
                    .thenApply(result -> answer(target, result));
        }
        Message.Draft draft = new Message.Draft(
                target.topic(),
                request.data(),
                request.priority(),
                request.sender(),
                time,
                nanos,
                TimeUnit.MILLISECONDS.toNanos(request.ttlMillis()));
        return broker.publish(draft, messageId).thenApply(result -> answer(target, result));
    }

    private static Answer answer(Target target, PublishResult result) {
        if (result instanceof PublishResult.Refused refused) {
            return new Answer(target, refused, new ProtocolException(refused.code(), refused.message()));
        }
        return new Answer(target, result, null);
    }
}
