package io.barrage.gateway.backend;

import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.http.BodyReader;
import io.barrage.gateway.http.Exchange;
import io.barrage.gateway.http.Problem;
import io.barrage.gateway.http.Response;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.PublishRequest.Target;
import io.netty.handler.codec.http.HttpHeaderNames;
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
public final class PublishHandler implements Endpoint {
    private final Broker broker;
    private final int maxBodyBytes;
    private final int maxMessageBytes;

    public PublishHandler(Broker broker, int maxBodyBytes, int maxMessageBytes) {
        this.broker = broker;
        this.maxBodyBytes = maxBodyBytes;
        this.maxMessageBytes = maxMessageBytes;
    }

    @Override
    public BodyReader open(Exchange exchange, String publisher) {
        if (!"identity".equalsIgnoreCase(exchange.headers().get(HttpHeaderNames.CONTENT_ENCODING, "identity"))) {
            throw new ProtocolException(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "a publish is sent without Content-Encoding");
        }
        return switch (exchange.contentType()) {
            case "application/json" -> BodyReader.whole(maxBodyBytes, body -> publish(exchange, body, publisher));
            case "application/x-ndjson" -> new PublishStream(exchange, this, publisher, maxMessageBytes);
            default ->
                throw new ProtocolException(
                        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                        "a publish is application/json or application/x-ndjson: set the Content-Type field");
        };
    }

    private void publish(Exchange exchange, byte[] body, String publisher) {
        CompletableFuture<Answers> answers = publish(body, publisher);
        if (answers.isDone()) {
            exchange.respond(response(answers.join()));
        } else {
            answers.whenCompleteAsync(
                    (all, failure) -> exchange.respond(
                            all == null
                                    ? Problem.of(ErrorCode.INTERNAL, "the gateway failed to publish this")
                                    : response(all)),
                    exchange.channel().eventLoop());
        }
    }

    private static Response response(Answers answers) {
        Answer only = answers.answers.get(0);
        if (!answers.single) {
            return Response.json(PublishAnswers.results(answers.answers));
        }
        if (only.error != null) {
            Response problem = Problem.of(only.error);
            return only.result instanceof PublishResult.Refused refused && refused.retryAfterMillis() > 0
                    ? problem.with("retry-after", Long.toString((refused.retryAfterMillis() + 999) / 1000))
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
     * Publishes what {@code text} asks for, to each target by itself: one's failure isn't another's.
     *
     * @throws ProtocolException if it can't be understood as a whole
     */
    CompletableFuture<Answers> publish(byte[] text, String publisher) {
        PublishRequest request = PublishRequest.parse(text);
        if (request.data().length > maxMessageBytes) {
            throw new ProtocolException(
                    ErrorCode.TOO_LARGE,
                    "a message's data has at most " + maxMessageBytes + " bytes, this has " + request.data().length);
        }
        long time = System.currentTimeMillis();
        long nanos = System.nanoTime();
        if (request.targets().size() == 1) {
            return publishTo(request.targets().get(0), request, publisher, time, nanos)
                    .thenApply(answer -> new Answers(request.single(), List.of(answer)));
        }
        List<CompletableFuture<Answer>> parts =
                new ArrayList<>(request.targets().size());
        for (Target target : request.targets()) {
            parts.add(publishTo(target, request, publisher, time, nanos));
        }
        return CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new))
                .thenApply(ignored -> new Answers(
                        request.single(),
                        parts.stream().map(CompletableFuture::join).toList()));
    }

    private CompletableFuture<Answer> publishTo(
            Target target, PublishRequest request, String publisher, long time, long nanos) {
        if (target.topic() == null) {
            return CompletableFuture.completedFuture(new Answer(target, null, target.error()));
        }
        String id = request.messageId();
        Broker.MessageId messageId = id == null ? null : new Broker.MessageId("key " + publisher, id);
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
