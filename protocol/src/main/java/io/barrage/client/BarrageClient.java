package io.barrage.client;

import io.barrage.protocol.ControlRequest;
import io.barrage.protocol.Position;
import io.barrage.protocol.RetractRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import java.math.BigInteger;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/**
 * A backend's way to its gateway: publishes, and controls who gets what. Thread-safe; make one and share it.
 *
 * <p>No call blocks. Each gives a future that has its answer, or fails with a {@link BarrageException}, within the deadline at the
 * latest; cancelling it ends the attempts. Futures are completed on threads of the client's own, of which there are as many as are
 * needed: a callback may block, and holds up neither another one nor a call. It takes a thread until it returns, so hand work that
 * takes long to an executor with a bound.
 *
 * <p><b>What is repeated.</b> Every publish has a message id, its own or one that is made for the call, so that an attempt whose
 * answer is lost can be made again: the gateway publishes an id once, and answers the repeat with the first one's position. It
 * remembers ids for five minutes, so a call's deadline is {@link #MAX_DEADLINE} at most. Repeated are connection failures, lost
 * connections and attempts over their time; 429 and 503 when their {@code Retry-After} has passed; 502 and 504; nothing else. Calls
 * without such an id are made again only if nothing can have been done.
 *
 * <p><b>Order.</b> Publishes that are in flight together may overtake each other. Wait for one's future before the next where their
 * order matters, or use {@link #publishAll}.
 */
public final class BarrageClient implements AutoCloseable {
    /** The longest deadline of a call: well below the five minutes for which a gateway remembers a message's id. */
    public static final Duration MAX_DEADLINE = Duration.ofMinutes(2);

    /** Most targets of one {@link #publishAll}, counted over its publishes. */
    public static final int MAX_BATCH_TARGETS = 2_000;

    private final Calls calls;
    /** Makes ids that no other client has. */
    private final String life = new BigInteger(96, new SecureRandom()).toString(Character.MAX_RADIX);

    private final AtomicLong ids = new AtomicLong();

    private BarrageClient(Settings settings) {
        this.calls = new Calls(settings);
    }

    /**
     * Begins to build a client.
     *
     * @param uri of a gateway's backend listener, such as {@code http://127.0.0.1:8081}
     * @param others of gateways that stand in for it, in the order in which to turn to them
     * @throws IllegalArgumentException if one isn't an http or https URI, or has a query
     */
    public static Builder to(String uri, String... others) {
        List<URI> uris = new ArrayList<>();
        uris.add(baseUri(uri));
        for (String other : others) {
            uris.add(baseUri(other));
        }
        return new Builder(List.copyOf(uris));
    }

    private static URI baseUri(String text) {
        URI uri = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
        boolean isHttp = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
        if (!isHttp || uri.getHost() == null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "a gateway's URI is like http://127.0.0.1:8081, without a query, not " + text);
        }
        return uri;
    }

    /** What a client is built with. For one thread. */
    public static final class Builder {
        private final List<URI> uris;
        private @Nullable String apiKey;
        private Duration deadline = Duration.ofSeconds(10);
        private Duration attemptTimeout = Duration.ofSeconds(3);
        private int maxInFlight = 256;
        private RetryPolicy retries = RetryPolicy.DEFAULT;
        private @Nullable SSLContext sslContext;

        private Builder(List<URI> uris) {
            this.uris = uris;
        }

        /** The API key that each request carries; without one, for a gateway without keys on the same machine. */
        public Builder apiKey(String key) {
            if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c <= '~')) {
                throw new IllegalArgumentException("an API key is printable ASCII without spaces, and this isn't");
            }
            apiKey = key;
            return this;
        }

        /** How long a call may take, its attempts and pauses together: 10 s without, {@link #MAX_DEADLINE} at most. */
        public Builder deadline(Duration most) {
            if (most.compareTo(MAX_DEADLINE) > 0) {
                throw new IllegalArgumentException("a deadline is " + MAX_DEADLINE + " at most, not " + most
                        + ": the gateway must still know the ids of what is repeated");
            }
            deadline = positive("deadline", most);
            return this;
        }

        /**
         * How long one attempt of what can be repeated, or isn't sent by then, may take before another is made: 3 s without. Half of
         * it is for connecting.
         * A {@link BarrageClient#publishAll batch} must get through in this time at the API key's rate.
         */
        public Builder attemptTimeout(Duration most) {
            attemptTimeout = positive("attemptTimeout", most);
            return this;
        }

        private static Duration positive(String name, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(name + " is more than nothing, not " + value);
            }
            return value;
        }

        /**
         * How many calls may be in flight, those that wait for another attempt included: 256 without. It bounds memory and
         * connections; a call over it fails at once with a {@link BusyException}.
         */
        public Builder maxInFlight(int most) {
            if (most < 1) {
                throw new IllegalArgumentException("one call in flight is the least, not " + most);
            }
            maxInFlight = most;
            return this;
        }

        /** How often to try, and how long to wait between: {@link RetryPolicy#DEFAULT} without. */
        public Builder retries(RetryPolicy policy) {
            retries = policy;
            return this;
        }

        /** Whom to trust with https, and as whom to come: the JDK's default without. */
        public Builder sslContext(SSLContext context) {
            sslContext = context;
            return this;
        }

        /** The client. Connections are opened with the first calls. */
        public BarrageClient build() {
            Duration attempt = attemptTimeout.compareTo(MAX_DEADLINE) > 0 ? MAX_DEADLINE : attemptTimeout;
            return new BarrageClient(new Settings(uris, apiKey, deadline, attempt, maxInFlight, retries, sslContext));
        }
    }

    private String newId() {
        return life + "-" + Long.toString(ids.incrementAndGet(), Character.MAX_RADIX);
    }

    private String idOf(Publish publish) {
        String id = publish.messageId();
        return id == null ? newId() : id;
    }

    // ---------------------------------------------------------------- publishing

    /**
     * Publishes one message. Needs the scope {@code publish}.
     *
     * @return fails with a {@link ProblemException} if a publish to one target is refused; with several targets the refused ones are
     *     {@link Outcome.Refused}
     */
    public CompletableFuture<Published> publish(Publish publish) {
        String id = idOf(publish);
        return calls.start(
                "a publish",
                new Request.OfJson<>(
                        "/v1/publish",
                        publish.json(id),
                        true,
                        answer -> new Published(id, Answers.outcomes(publish, Json.object(answer)))));
    }

    /**
     * Publishes many messages in one request, in this order; the fastest way in. One call in flight. Needs the scope {@code publish}.
     *
     * <p>Each stands for itself: what is refused is an {@link Outcome.Refused}, and the others are published. Those that are refused
     * aren't repeated, since what follows them would overtake them or have to wait. If the connection is lost, those without an answer
     * are sent again.
     *
     * @param publishes with {@value #MAX_BATCH_TARGETS} targets at most; an empty list is answered at once
     * @return one answer for each, in order; fails with a {@link BatchException}, which has the answers that came, if one is missing in
     *     the end
     * @throws IllegalArgumentException if there are more
     */
    public CompletableFuture<List<Published>> publishAll(Collection<Publish> publishes) {
        List<Publish> all = List.copyOf(publishes);
        int targets = all.stream().mapToInt(one -> one.topics().size()).sum();
        if (targets > MAX_BATCH_TARGETS) {
            throw new IllegalArgumentException(
                    "a batch has at most " + MAX_BATCH_TARGETS + " targets, this one has " + targets);
        }
        if (all.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        return calls.start(
                "a batch of " + all.size() + " publishes",
                new Batch(all, all.stream().map(this::idOf).toList()));
    }

    // ---------------------------------------------------------------- taking back

    /**
     * Takes messages back, from every screen and the history. Needs the scope {@code control}.
     *
     * @param topic <code>$user:u7</code> for pushes to the user u7
     * @param offsets 1 to 1,000
     * @return how many weren't taken back before; after a lost answer that may be less than this call did
     */
    public CompletableFuture<Integer> retract(String topic, Collection<Long> offsets) {
        if (offsets.isEmpty()
                || offsets.size() > RetractRequest.MAX_OFFSETS
                || offsets.stream().anyMatch(offset -> offset < 1 || offset > Position.MAX_OFFSET)) {
            throw new IllegalArgumentException(
                    "1 to " + RetractRequest.MAX_OFFSETS + " offsets from 1 to 2^53-1 are retracted, not " + offsets);
        }
        return retract(topic, true, out -> {
            out.writeArrayPropertyStart("offsets");
            offsets.forEach(out::writeNumber);
            out.writeEndArray();
        });
    }

    /**
     * Takes back all messages of a sender that are kept. Needs the scope {@code control}. Not repeated when an answer is lost: it would
     * take what was said in the meantime as well.
     *
     * @return how many
     */
    public CompletableFuture<Integer> retractAllOf(String topic, String sender) {
        String user = Json.argument(() -> UserName.check(sender));
        return retract(topic, false, out -> out.writeStringProperty("sender", user));
    }

    private CompletableFuture<Integer> retract(String topic, boolean repeatable, Consumer<JsonGenerator> fields) {
        return calls.start(
                "a retraction",
                new Request.OfJson<>(
                        "/v1/topics/" + segment(topicOrUsers(topic)) + "/retract",
                        Json.write(fields),
                        repeatable,
                        Answers::retracted));
    }

    private static String topicOrUsers(String topic) {
        String ofUser = TopicName.USER_NAMESPACE + ":";
        return Json.argument(() -> (topic.startsWith(ofUser)
                        ? TopicName.ofUser(topic.substring(ofUser.length()))
                        : TopicName.of(topic))
                .toString());
    }

    private static String segment(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    // ---------------------------------------------------------------- a user's connections

    /**
     * Puts all connections that a user has now on a topic. Needs the scope {@code control}. This and what follows isn't repeated when an
     * answer is lost: connections come and go, and it would be done to others.
     */
    public CompletableFuture<Affected> subscribe(String user, String topic) {
        return control(user, "subscribe", topic, null, false);
    }

    /** Takes all connections of a user off a topic. Needs the scope {@code control}. */
    public CompletableFuture<Affected> unsubscribe(String user, String topic) {
        return control(user, "unsubscribe", topic, null, false);
    }

    /** Takes all connections of a user off a topic, and tells them why: 1 to 90 bytes. Needs the scope {@code control}. */
    public CompletableFuture<Affected> unsubscribe(String user, String topic, String reason) {
        return control(user, "unsubscribe", topic, reason, false);
    }

    /** Ends all connections of a user; their clients stay away. Needs the scope {@code control}. */
    public CompletableFuture<Affected> disconnect(String user) {
        return control(user, "disconnect", null, null, false);
    }

    /**
     * Ends all connections of a user, and tells them why. Needs the scope {@code control}.
     *
     * @param reason 1 to 90 bytes
     * @param reconnect whether their clients are to come back
     */
    public CompletableFuture<Affected> disconnect(String user, String reason, boolean reconnect) {
        return control(user, "disconnect", null, reason, reconnect);
    }

    private CompletableFuture<Affected> control(
            String user, String action, @Nullable String topic, @Nullable String reason, boolean reconnect) {
        String path = "/v1/users/" + segment(Json.argument(() -> UserName.check(user))) + "/" + action;
        String checkedTopic =
                topic == null ? null : Json.argument(() -> TopicName.of(topic).toString());
        String checkedReason = reason == null ? null : Json.argument(() -> ControlRequest.checkReason(reason));
        if (checkedReason != null) {
            Json.utf8("a reason", checkedReason);
        }
        byte[] body = Json.write(out -> {
            if (checkedTopic != null) {
                out.writeStringProperty("topic", checkedTopic);
            }
            if (checkedReason != null) {
                out.writeStringProperty("reason", checkedReason);
            }
            if (reconnect) {
                out.writeBooleanProperty("reconnect", true);
            }
        });
        return calls.start("to " + action + " a user", new Request.OfJson<>(path, body, false, Answers::affected));
    }

    // ---------------------------------------------------------------- the end

    /** Closes it as {@link #close(Duration)} does, with the deadline of its calls: none is cut short. */
    @Override
    public void close() {
        close(calls.settings().deadline());
    }

    /**
     * Takes no more calls, waits for those in flight, and fails those that aren't answered in time. Blocks, so not to be called from
     * where that is forbidden; an interrupt ends the waiting. Closing it again is harmless.
     *
     * <p>The threads of this client end then, as soon as they are idle. Before JDK 21 the JDK's HTTP client can't be closed: its one
     * thread and its idle connections end when the garbage collector finds it, which this client doesn't hold any more.
     */
    public void close(Duration patience) {
        calls.close(patience);
    }

    /** Where it publishes to, and how; not its API key. */
    @Override
    public String toString() {
        return "BarrageClient[" + calls.settings() + "]";
    }
}
