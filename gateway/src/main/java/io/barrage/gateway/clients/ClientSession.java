package io.barrage.gateway.clients;

import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.broker.Broker;
import io.barrage.gateway.broker.PresenceMode;
import io.barrage.gateway.broker.PresencePage;
import io.barrage.gateway.broker.PublishResult;
import io.barrage.gateway.hub.Connection;
import io.barrage.gateway.hub.HubShard;
import io.barrage.protocol.ClientFrame;
import io.barrage.protocol.CloseCode;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Message;
import io.barrage.protocol.Position;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.WebSocketFrames;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One client's side of {@code barrage.v1}, whatever carries it: who it is, what it asks for, and what it may have.
 *
 * <p>Confined to its connection's event loop. Somebody else may have to decide, such as a backend: then what the client says of
 * the same topic waits, and the rest goes on. While its token is looked at, all of it waits.
 */
final class ClientSession {
    /** How long a connection that needs a token may take to bring it. */
    static final long TOKEN_TIMEOUT_MILLIS = 5_000;

    /** Frames that aren't understood, within {@link #NOISE_WINDOW_NANOS}, that end a connection. */
    private static final int MAX_NOISE = 10;

    private static final long NOISE_WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Of the messages of one answer; what an own frame may have before the client isn't read from. */
    private static final int MAX_HISTORY_BYTES = 64 * 1024;

    /** About when those come back who were over a limit, and those who came in a drain. */
    private static final int LIMIT_RETRY_MILLIS = 5_000;

    private static final int DRAIN_RETRY_MILLIS = 1_000;

    private enum State {
        /** Nothing has been asked for. */
        NEW,
        /** It needs a token, and none has come yet. */
        WAITING_FOR_TOKEN,
        /** Whether it may connect is being decided. */
        CONNECTING,
        OPEN,
        /** As open, but what it may do is being decided anew. */
        RENEWING,
        ENDED
    }

    private final ClientsDoor.Context context;
    private final Connection connection;
    private final HubShard shard;
    private final ScheduledExecutorService loop;
    private final Carrier carrier;
    /** Made with the first request that waits; with most connections none ever does. */
    private @Nullable TopicTurns turns;

    private State state = State.NEW;
    /** What its first request asked for, as long as a token may come that says who it is. */
    private @Nullable Opening opening;
    /** Whether it takes one of the node's places for connections. */
    private boolean counted;
    /** The user of whose connections it is one; null if it isn't counted for any. */
    private @Nullable String countedAs;

    private boolean welcomed;
    private long welcomedNanos;
    private Grant grant = Grant.ANONYMOUS;
    /** When a token must have come, its token ends, or the time is over to bring another; null if nothing of that is so. */
    private @Nullable Deadline deadline;
    /** What tokens for single topics grant; null while there are none, as with most connections. */
    private @Nullable TopicGrants topicGrants;

    /** Subscriptions that somebody is asked about. */
    private int undecided;

    private int noise;
    private long noiseSinceNanos;

    /** Who carries it: told on the loop. */
    interface Carrier {
        /** The session isn't {@link #isBusy} any more. */
        void resume();

        /** Something was thrown where no caller would see it. */
        void failed(Throwable cause);
    }

    /** @param loop the connection's */
    ClientSession(
            ClientsDoor.Context context,
            Connection connection,
            HubShard shard,
            ScheduledExecutorService loop,
            Carrier carrier) {
        this.context = context;
        this.connection = connection;
        this.shard = shard;
        this.loop = loop;
        this.carrier = carrier;
    }

    // ---------------------------------------------------------------- the beginning

    /** Lets the client in, or doesn't: welcomes it, and carries out what its first request asks for. */
    void begin(Opening opening) {
        this.opening = opening;
        if (context.drain().draining) {
            int retryAfter = about(DRAIN_RETRY_MILLIS);
            connection.send(new ServerFrame.Goaway("draining", retryAfter));
            connection.close(CloseCode.GOING_AWAY, CloseCode.GOING_AWAY.wire() + " retryAfterMs=" + retryAfter);
            return;
        }
        ClientLimit over = context.admission().enter(connection.address());
        if (over != null) {
            close(over);
            return;
        }
        counted = true;
        if (opening.token() == null && context.access().needsToken()) {
            state = State.WAITING_FOR_TOKEN;
            deadline = after(
                    TOKEN_TIMEOUT_MILLIS,
                    () -> refuse(0, new ProtocolException(ErrorCode.UNAUTHORIZED, "no token came in time")));
            return;
        }
        connect(opening, opening.token(), 0);
    }

    private void connect(Opening opening, @Nullable String token, long id) {
        state = State.CONNECTING;
        await(mayConnect(opening, token), granted -> welcome(opening, granted, id), refusal -> refuse(id, refusal));
    }

    private CompletableFuture<Grant> mayConnect(Opening opening, @Nullable String token) {
        return context.access()
                .connect(new Access.Attempt(
                        connection.id(), token, opening.user(), connection.address(), opening.origin()));
    }

    /** Goes on when something about the whole connection is decided; until then it is {@link #isBusy}. */
    private <T> void await(CompletableFuture<T> decision, Consumer<T> allowed, Consumer<ProtocolException> refused) {
        if (decision.isDone()) {
            TopicTurns.tell(decision, allowed, refused);
            return;
        }
        decision.whenCompleteAsync(
                (ignored, failure) -> carryOut(() -> {
                    if (state != State.ENDED) {
                        TopicTurns.tell(decision, allowed, refused);
                        carrier.resume();
                    }
                }),
                loop);
    }

    private void carryOut(Runnable step) {
        TopicTurns.carryOut(step, carrier::failed);
    }

    private TopicTurns turns() {
        if (turns == null) {
            turns = new TopicTurns(loop, carrier::resume, carrier::failed);
            if (state == State.ENDED) {
                turns.end();
            }
        }
        return turns;
    }

    /** As {@link TopicTurns#run}. */
    private void run(TopicName topic, Runnable request) {
        if (turns == null) {
            request.run();
        } else {
            turns.run(topic, request);
        }
    }

    /** As {@link TopicTurns#await}. */
    private <T> void await(
            TopicName topic, CompletableFuture<T> decision, Consumer<T> allowed, Consumer<ProtocolException> refused) {
        if (decision.isDone()) {
            TopicTurns.tell(decision, allowed, refused);
        } else {
            turns().await(topic, decision, allowed, refused);
        }
    }

    /** Closes a client that is over a limit, and is to come back later. */
    private void close(ClientLimit limit) {
        context.metrics().limited(limit);
        connection.close(CloseCode.RATE_LIMITED, limit.reason() + " retryAfterMs=" + about(LIMIT_RETRY_MILLIS));
    }

    /** Apart, so that they don't all come back in one moment: from half of it to one and a half. */
    private static int about(int millis) {
        return millis / 2 + ThreadLocalRandom.current().nextInt(millis);
    }

    private void welcome(Opening opening, Grant granted, long id) {
        if (!hasPlaceFor(granted.user())) {
            close(ClientLimit.CONNECTIONS_PER_USER);
            return;
        }
        state = State.OPEN;
        grant = granted;
        // Also where there are no tokens yet: a reload may bring them.
        this.opening = isNobody() ? opening.forLater() : null;
        welcomed = true;
        welcomedNanos = System.nanoTime();
        context.metrics().opened();
        String user = granted.user();
        connection.send(new ServerFrame.Welcome(
                connection.id(), user, context.rules().heartbeat().toMillis(), granted.expires()));
        if (id != 0) {
            connection.send(new ServerFrame.Authenticated(id, user, granted.expires()));
        }
        expireLater();
        opening.mistakes().forEach(mistake -> fail(0, null, mistake));
        for (String name : opening.topics()) {
            try {
                TopicName topic = TopicName.of(name);
                Position since = opening.since().get(name);
                run(topic, () -> ask(new ClientFrame.Subscribe(0, topic, since, 0, null), null));
            } catch (ProtocolException e) {
                fail(0, name, e);
            }
        }
        joinTopicsOfGrant(opening);
    }

    /** Puts it on the topics that its token names, and on that of the pushes to its user. */
    private void joinTopicsOfGrant(Opening opening) {
        for (TopicName topic : grant.join()) {
            ClientFrame.Subscribe frame =
                    new ClientFrame.Subscribe(0, topic, opening.since().get(topic.toString()), 0, null);
            // Its token says so: nobody is asked.
            run(topic, () -> {
                if (!shard.isSubscribed(connection, topic)) {
                    joinWhenCaughtUp(frame, null);
                }
            });
        }
        if (grant.user() != null) {
            TopicName own = TopicName.ofUser(grant.user());
            Position since = opening.since().get(own.toString());
            await(
                    own,
                    shard.caughtUp(own, since),
                    ignored -> shard.subscribe(connection, own, 0, since, 0),
                    refusal -> fail(0, own.toString(), refusal));
        }
    }

    /** Counts it as one of its user's connections, if it isn't yet; false if that has as many as it may. */
    private boolean hasPlaceFor(@Nullable String user) {
        if (user == null || countedAs != null) {
            return true;
        }
        if (!context.admission().enterAs(user)) {
            return false;
        }
        countedAs = user;
        return true;
    }

    /** Tells why it may not connect, and closes. */
    private void refuse(long id, ProtocolException refusal) {
        fail(id, null, refusal);
        CloseCode code =
                switch (refusal.code()) {
                    case BAD_REQUEST, NOT_IMPLEMENTED -> CloseCode.BAD_REQUEST;
                    case UNAUTHORIZED, TOKEN_EXPIRED -> CloseCode.UNAUTHORIZED;
                    case RATE_LIMITED -> CloseCode.RATE_LIMITED;
                    case OVERLOADED, HOOK_FAILED -> CloseCode.OVERLOADED;
                    case INTERNAL -> CloseCode.INTERNAL;
                    default -> CloseCode.FORBIDDEN;
                };
        connection.close(code, code.wire());
    }

    /** Its user's name, null if it has none, or isn't welcome yet. */
    @Nullable
    String user() {
        return grant.user();
    }

    /** What others may be told of its user, null for nothing. */
    @Nullable
    String info() {
        return grant.info();
    }

    /** Whether what comes from the client must wait. */
    boolean isBusy() {
        return state == State.CONNECTING || state == State.RENEWING || (turns != null && turns.isFull());
    }

    /** The connection has ended, or is about to. */
    void end() {
        if (state == State.ENDED) {
            return;
        }
        state = State.ENDED;
        if (turns != null) {
            turns.end();
        }
        setDeadline(null);
        if (topicGrants != null) {
            topicGrants.end();
        }
    }

    /**
     * The connection is gone for good: gives back its place. Called once.
     *
     * @param code of its close, whoever closed
     */
    void gone(int code) {
        end();
        if (countedAs != null) {
            context.admission().leaveAs(countedAs);
        }
        if (counted) {
            context.admission().leave(connection.address());
        }
        if (welcomed) {
            context.metrics().ended();
            context.notifications().disconnected(connection.id(), user(), code, System.nanoTime() - welcomedNanos);
        }
    }

    // ---------------------------------------------------------------- tokens

    private Access.Client client(TopicName topic) {
        return clientWith(topicGrants == null ? null : topicGrants.of(topic));
    }

    /** @param ofTopic what a new token for the topic grants, in place of what is kept for it; null without one */
    private Access.Client client(TopicName topic, @Nullable Grant ofTopic) {
        return ofTopic == null ? client(topic) : clientWith(ofTopic);
    }

    private Access.Client clientWith(@Nullable Grant ofTopic) {
        return new Access.Client(connection.id(), grant, ofTopic, connection.address());
    }

    private void authenticate(ClientFrame.Auth frame) {
        if (state == State.WAITING_FOR_TOKEN) {
            setDeadline(null);
            connect(Objects.requireNonNull(opening), frame.token(), frame.id());
            return;
        }
        Consumer<ProtocolException> refused = refusal -> {
            // It still has what it had, as long as that lasts.
            state = State.OPEN;
            fail(frame.id(), null, refusal);
        };
        state = State.RENEWING;
        if (isNobody()) {
            Opening later = opening == null ? Opening.FORGOTTEN : opening;
            await(
                    // What it said before was said by nobody, and is decided so.
                    turns().allSoFar().thenCompose(ignored -> mayConnect(later, frame.token())),
                    granted -> becomeSomebody(later, granted, frame.id()),
                    refused);
        } else {
            await(
                    context.access().renew(clientWith(null), frame.token()),
                    granted -> replaceGrant(granted, frame.id()),
                    refused);
        }
    }

    /** Whether nobody vouches for it, and it has no name: it may still become somebody. */
    private boolean isNobody() {
        return grant.user() == null && !grant.authenticated();
    }

    /** What others have from the welcome on comes to it now. */
    private void becomeSomebody(Opening later, Grant granted, long id) {
        if (!hasPlaceFor(granted.user())) {
            close(ClientLimit.CONNECTIONS_PER_USER);
            return;
        }
        replaceGrant(granted, id);
        if (!isNobody()) {
            opening = null;
        }
        joinTopicsOfGrant(later);
    }

    private void replaceGrant(Grant granted, long id) {
        state = State.OPEN;
        String info = granted.info();
        boolean userChanged = !Objects.equals(granted.user(), grant.user());
        boolean infoChanged = info != null && !info.equals(grant.info());
        grant = granted;
        if (userChanged || infoChanged) {
            shard.userChanged(connection);
        }
        if (id != 0) {
            connection.send(new ServerFrame.Authenticated(id, granted.user(), granted.expires()));
        }
        expireLater();
        for (TopicName topic : connection.topics()) {
            takeAwayUnlessAllowed(topic, ErrorCode.NOT_PERMITTED, "the new token doesn't allow this topic");
        }
    }

    /** The topics' rules have changed: it leaves those that it may not be on any more. */
    void rulesChanged() {
        if (state == State.OPEN || state == State.RENEWING) {
            for (TopicName topic : connection.topics()) {
                takeAwayUnlessAllowed(topic, ErrorCode.NOT_PERMITTED, "the topic's rules have changed");
            }
        }
    }

    private void takeAwayUnlessAllowed(TopicName topic, ErrorCode code, String reason) {
        boolean given = topic.namespace().equals(TopicName.USER_NAMESPACE) || shard.isPutByBackend(connection, topic);
        if (!given && !context.access().mayStay(client(topic), topic) && shard.unsubscribe(connection, topic)) {
            forget(topic);
            connection.send(new ServerFrame.Unsubscribed(0, topic, code.wire(), reason));
        }
    }

    private void expireLater() {
        setDeadline(grant.expires() > 0 ? at(grant.expires(), this::tokenExpired) : null);
    }

    private void tokenExpired() {
        fail(
                0,
                null,
                ErrorCode.TOKEN_EXPIRED,
                "the token has expired: send 'auth' with a new one within " + secondsToRenew() + " s");
        deadline = afterRenewal(() -> connection.close(CloseCode.UNAUTHORIZED, CloseCode.UNAUTHORIZED.wire()));
    }

    /** Keeps what a token for one topic grants, in place of an earlier one. */
    private void keep(TopicName topic, Grant granted) {
        if (topicGrants == null) {
            topicGrants = new TopicGrants();
        }
        Deadline end = granted.expires() > 0 ? at(granted.expires(), () -> topicTokenExpired(topic)) : null;
        topicGrants.keep(topic, granted, end);
    }

    private void forget(TopicName topic) {
        if (topicGrants != null) {
            topicGrants.forget(topic);
        }
    }

    /** Somebody else has taken the connection off a topic: what a token granted for it goes with it. */
    void takenOff(TopicName topic) {
        forget(topic);
    }

    private void topicTokenExpired(TopicName topic) {
        if (context.access().mayStay(clientWith(null), topic)) {
            forget(topic);
            return;
        }
        fail(
                0,
                topic.toString(),
                ErrorCode.TOKEN_EXPIRED,
                "the topic's token has expired: send 'subscribe' with a new one within " + secondsToRenew() + " s");
        Objects.requireNonNull(topicGrants).set(topic, afterRenewal(() -> {
            forget(topic);
            takeAwayUnlessAllowed(topic, ErrorCode.TOKEN_EXPIRED, "the topic's token has expired");
        }));
    }

    private void setDeadline(@Nullable Deadline next) {
        if (deadline != null) {
            deadline.cancel();
        }
        deadline = next;
        if (state == State.ENDED && next != null) {
            next.cancel();
        }
    }

    private Deadline at(long seconds, Runnable then) {
        return Deadline.at(seconds * 1000, then, loop, carrier::failed);
    }

    private Deadline after(long millis, Runnable then) {
        return Deadline.after(millis, then, loop, carrier::failed);
    }

    private Deadline afterRenewal(Runnable then) {
        return after(context.rules().renewal().toMillis(), then);
    }

    private long secondsToRenew() {
        return context.rules().renewal().toSeconds();
    }

    // ---------------------------------------------------------------- the client's frames

    /**
     * Carries out what the client says.
     *
     * @param text one frame's bytes, UTF-8; kept by nobody
     * @return whether it was a publish
     */
    boolean take(byte[] text) {
        try {
            ClientFrame frame = ClientFrame.parse(text);
            carryOut(frame);
            return frame instanceof ClientFrame.Publish;
        } catch (ProtocolException e) {
            fail(0, null, e);
            countNoise();
            return false;
        }
    }

    /** The client is faster than it may be, and is read more slowly. */
    void tooFast(ClientLimit limit, boolean tell) {
        context.metrics().limited(limit);
        if (tell) {
            ClientLimits limits = context.rules().limits();
            fail(
                    0,
                    null,
                    ErrorCode.RATE_LIMITED,
                    limit == ClientLimit.INBOUND
                            ? "more than " + limits.inbound() + " frames: this connection is read more slowly"
                            : "more than " + limits.requests()
                                    + " frames that aren't publishes: this connection is read more slowly");
        }
    }

    /** The client is so much faster than it may be that it can't be waited for. */
    void tooFarAhead(ClientLimit limit) {
        close(limit);
    }

    private void countNoise() {
        long now = System.nanoTime();
        if (noise == 0 || now - noiseSinceNanos > NOISE_WINDOW_NANOS) {
            noise = 0;
            noiseSinceNanos = now;
        }
        noise++;
        if (noise >= MAX_NOISE) {
            connection.close(CloseCode.BAD_REQUEST, CloseCode.BAD_REQUEST.wire());
        }
    }

    private void carryOut(ClientFrame frame) {
        if (frame instanceof ClientFrame.Ping ping) {
            connection.send(new ServerFrame.Pong(ping.id(), shard.online(connection)));
        } else if (frame instanceof ClientFrame.Invalid invalid) {
            fail(invalid.id(), invalid.topic(), invalid.error());
        } else if (frame instanceof ClientFrame.Auth auth) {
            authenticate(auth);
        } else if (state == State.WAITING_FOR_TOKEN) {
            fail(frame.id(), null, ErrorCode.UNAUTHORIZED, "a token comes first: send 'auth'");
        } else if (frame instanceof ClientFrame.Subscribe subscribe) {
            run(subscribe.topic(), () -> subscribe(subscribe));
        } else if (frame instanceof ClientFrame.Unsubscribe unsubscribe) {
            run(unsubscribe.topic(), () -> unsubscribe(unsubscribe));
        } else if (frame instanceof ClientFrame.Publish publish) {
            run(publish.topic(), () -> publish(publish));
        } else if (frame instanceof ClientFrame.Attention attention) {
            run(attention.topic(), () -> setAttention(attention));
        } else if (frame instanceof ClientFrame.History history) {
            run(history.topic(), () -> readHistory(history));
        } else if (frame instanceof ClientFrame.Presence presence) {
            run(presence.topic(), () -> tellPresence(presence));
        } else {
            fail(frame.id(), null, ErrorCode.NOT_IMPLEMENTED, "this version of the gateway doesn't answer this");
        }
    }

    private void subscribe(ClientFrame.Subscribe frame) {
        TopicName topic = frame.topic();
        if (frame.token() == null) {
            ask(frame, null);
            return;
        }
        await(
                topic,
                context.access().ofTopic(client(topic), topic, frame.token()),
                granted -> ask(frame, granted),
                refusal -> fail(frame.id(), topic.toString(), refusal));
    }

    /** @param ofTopic what the token in the frame grants, which replaces an earlier one's only once it is enough */
    private void ask(ClientFrame.Subscribe frame, @Nullable Grant ofTopic) {
        TopicName topic = frame.topic();
        Access.Client now = client(topic, ofTopic);
        if (!context.access().asksAbout(now, topic)) {
            await(
                    topic,
                    context.access().subscribe(now, topic),
                    ignored -> joinWhenCaughtUp(frame, ofTopic),
                    refusal -> fail(frame.id(), topic.toString(), refusal));
            return;
        }
        int more = shard.isSubscribed(connection, topic) ? 0 : 1;
        if (more > 0 && isFull(undecided)) {
            // Nobody is asked in vain.
            failFull(frame);
            return;
        }
        undecided += more;
        await(
                topic,
                turns().ask(() -> context.access().subscribe(client(topic, ofTopic), topic)),
                ignored -> {
                    undecided -= more;
                    joinWhenCaughtUp(frame, ofTopic);
                },
                refusal -> {
                    undecided -= more;
                    fail(frame.id(), topic.toString(), refusal);
                });
    }

    private void joinWhenCaughtUp(ClientFrame.Subscribe frame, @Nullable Grant ofTopic) {
        await(
                frame.topic(),
                shard.caughtUp(frame.topic(), frame.since()),
                ignored -> join(frame, ofTopic),
                refusal -> fail(frame.id(), frame.topic().toString(), refusal));
    }

    private void join(ClientFrame.Subscribe frame, @Nullable Grant ofTopic) {
        TopicName topic = frame.topic();
        if (shard.isSubscribed(connection, topic)) {
            if (ofTopic == null) {
                fail(
                        frame.id(),
                        topic.toString(),
                        ErrorCode.ALREADY_SUBSCRIBED,
                        "this connection is on this topic already");
            } else {
                // All that it wanted is more time.
                keep(topic, ofTopic);
                if (frame.id() != 0) {
                    connection.send(new ServerFrame.Authenticated(frame.id(), grant.user(), ofTopic.expires()));
                }
            }
        } else if (!context.access().mayStay(client(topic, ofTopic), topic)) {
            // The decision took its time, and what it went by is no more.
            fail(
                    frame.id(),
                    topic.toString(),
                    ErrorCode.NOT_PERMITTED,
                    "this connection may not subscribe to this topic any more");
        } else if (isFull(0)) {
            failFull(frame);
        } else {
            if (ofTopic != null) {
                keep(topic, ofTopic);
            }
            shard.subscribe(connection, topic, frame.id(), frame.since(), frame.last());
        }
    }

    /** @param toCome subscriptions that there may be soon */
    private boolean isFull(int toCome) {
        return connection.subscriptionCount() + toCome >= context.rules().maxSubscriptions();
    }

    private void failFull(ClientFrame.Subscribe frame) {
        context.metrics().limited(ClientLimit.SUBSCRIPTIONS);
        fail(
                frame.id(),
                frame.topic().toString(),
                ErrorCode.TOO_MANY_SUBSCRIPTIONS,
                "a connection may have " + context.rules().maxSubscriptions() + " subscriptions");
    }

    private void setAttention(ClientFrame.Attention frame) {
        TopicName topic = frame.topic();
        await(
                topic,
                shard.evened(topic),
                ignored -> {
                    if (!shard.attention(connection, topic, frame.id(), frame.level())) {
                        failNotSubscribed(frame.id(), topic);
                    }
                },
                refusal -> fail(frame.id(), topic.toString(), refusal));
    }

    private void readHistory(ClientFrame.History frame) {
        TopicName topic = frame.topic();
        if (!shard.isSubscribed(connection, topic)) {
            // Whoever may see what is said now may see what was said before, and nobody else.
            failNotSubscribed(frame.id(), topic);
            return;
        }
        await(
                topic,
                context.broker().history(topic, frame.query(), MAX_HISTORY_BYTES),
                page -> connection.send(new ServerFrame.History(
                        frame.id(), topic, page.epoch(), page.recovered(), page.messages(), page.more())),
                refusal -> fail(frame.id(), topic.toString(), refusal));
    }

    private void tellPresence(ClientFrame.Presence frame) {
        TopicName topic = frame.topic();
        if (!shard.isSubscribed(connection, topic)) {
            failNotSubscribed(frame.id(), topic);
            return;
        }
        await(
                topic,
                context.broker().presence(topic),
                page -> answerPresence(frame, page),
                refusal -> fail(frame.id(), topic.toString(), refusal));
    }

    private void answerPresence(ClientFrame.Presence frame, PresencePage page) {
        TopicName topic = frame.topic();
        if (page.mode() == PresenceMode.OFF) {
            fail(frame.id(), topic.toString(), ErrorCode.NOT_PERMITTED, "this topic doesn't tell who is on it");
        } else if (frame.id() != 0) {
            shard.toldOnline(connection, topic, page.online());
            connection.send(new ServerFrame.Presence(
                    frame.id(),
                    topic,
                    page.online(),
                    page.users(),
                    page.mode() == PresenceMode.MEMBERS ? page.members() : null,
                    page.more()));
        }
    }

    private void failNotSubscribed(long id, TopicName topic) {
        fail(id, topic.toString(), ErrorCode.NOT_SUBSCRIBED, "this connection isn't on this topic");
    }

    private void unsubscribe(ClientFrame.Unsubscribe frame) {
        forget(frame.topic());
        if (shard.unsubscribe(connection, frame.topic())) {
            connection.send(new ServerFrame.Unsubscribed(frame.id(), frame.topic(), null, null));
        } else {
            failNotSubscribed(frame.id(), frame.topic());
        }
    }

    // ---------------------------------------------------------------- publishing

    private void publish(ClientFrame.Publish frame) {
        TopicName topic = frame.topic();
        int length = frame.request().data().length;
        int most = context.rules().maxMessageBytes();
        if (length > most) {
            context.metrics().limited(ClientLimit.MESSAGE);
            fail(
                    frame.id(),
                    topic.toString(),
                    ErrorCode.TOO_LARGE,
                    "a message's data has at most " + most + " bytes, this has " + length);
            return;
        }
        Broker.MessageId messageId = messageId(frame.request());
        if (messageId != null && context.access().asksAbout(topic, frame.request())) {
            // A repeat gets the first answer, whatever would be said of it now.
            await(
                    topic,
                    context.broker().repeated(topic, frame.request(), messageId),
                    first -> first.ifPresentOrElse(answer -> answerPublish(frame, null, answer), () -> judge(frame)),
                    refusal -> fail(frame.id(), topic.toString(), refusal));
        } else {
            judge(frame);
        }
    }

    private Broker.@Nullable MessageId messageId(PublishRequest request) {
        String user = grant.user();
        String id = request.messageId();
        return id == null ? null : new Broker.MessageId(user == null ? connection.id() : "user " + user, id);
    }

    private void judge(ClientFrame.Publish frame) {
        TopicName topic = frame.topic();
        Supplier<CompletableFuture<Access.Judgement>> question =
                () -> context.access().publish(client(topic), topic, frame.request());
        await(
                topic,
                context.access().asksAbout(topic, frame.request()) ? turns().ask(question) : question.get(),
                judgement -> carryOut(frame, judgement),
                refusal -> fail(frame.id(), topic.toString(), refusal));
    }

    private void carryOut(ClientFrame.Publish frame, Access.Judgement judgement) {
        if (judgement instanceof Access.Judgement.Allowed allowed) {
            publish(frame, allowed.request());
        } else if (frame.id() != 0) {
            connection.send(new ServerFrame.PublishHeld(frame.id(), frame.topic()));
        }
    }

    private void publish(ClientFrame.Publish frame, PublishRequest request) {
        String user = grant.user();
        Broker.MessageId messageId = messageId(request);
        if (request.value() != null) {
            answerPublish(frame, null, context.broker().publish(frame.topic(), request.value(), messageId));
            return;
        }
        Message.Draft draft = new Message.Draft(
                frame.topic(),
                request.data(),
                request.priority(),
                user,
                System.currentTimeMillis(),
                System.nanoTime(),
                TimeUnit.MILLISECONDS.toNanos(request.ttlMillis()));
        // No user has a '#' in its name.
        String speaker = user == null ? '#' + connection.id() : user;
        answerPublish(frame, draft, context.broker().publish(draft, messageId, speaker));
    }

    /** @param draft null for a publish to a value, and for a repeat */
    private void answerPublish(
            ClientFrame.Publish frame, Message.@Nullable Draft draft, CompletableFuture<PublishResult> result) {
        if (result.isDone()) {
            answerPublish(frame, draft, result.join());
        } else {
            result.whenCompleteAsync((answer, ignored) -> carryOut(() -> answerPublish(frame, draft, answer)), loop);
        }
    }

    private void answerPublish(
            ClientFrame.Publish frame, Message.@Nullable Draft draft, @Nullable PublishResult result) {
        if (result instanceof PublishResult.Accepted accepted) {
            if (frame.id() != 0) {
                connection.send(new ServerFrame.Published(
                        frame.id(), frame.topic(), accepted.epoch(), accepted.offset(), accepted.duplicate()));
            }
        } else if (result instanceof PublishResult.ValueAccepted merged) {
            if (frame.id() != 0) {
                connection.send(
                        new ServerFrame.PublishedValue(frame.id(), frame.topic(), merged.key(), merged.duplicate()));
            }
        } else if (result instanceof PublishResult.Shed shed) {
            if (draft != null
                    && !shed.duplicate()
                    && draft.sender() == null
                    && shard.isSubscribed(connection, frame.topic())) {
                // Those with a name get it back from the hub, on all their connections.
                connection.giveBack(WebSocketFrames.text(draft.withoutPlace()));
            }
            if (frame.id() != 0) {
                connection.send(
                        new ServerFrame.PublishShed(frame.id(), frame.topic(), shed.reason(), shed.duplicate()));
            }
        } else if (result instanceof PublishResult.Refused refused) {
            fail(frame.id(), frame.topic().toString(), refused.code(), refused.message());
        } else {
            fail(frame.id(), frame.topic().toString(), ErrorCode.INTERNAL, "the gateway failed to publish this");
        }
    }

    private void fail(long id, @Nullable String topic, ProtocolException mistake) {
        fail(id, topic, mistake.code(), mistake.getMessage());
    }

    private void fail(long id, @Nullable String topic, ErrorCode code, String message) {
        context.metrics().failed(code);
        connection.send(new ServerFrame.Failure(id, topic, code, message));
    }
}
