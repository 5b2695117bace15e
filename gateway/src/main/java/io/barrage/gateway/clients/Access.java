package io.barrage.gateway.clients;

import io.barrage.gateway.auth.Grant;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import java.net.SocketAddress;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may connect, and what connections may do.
 *
 * <p>Thread-safe, asked on event loops: no call blocks. A future is complete at once where nobody else must be asked, else it
 * completes on any thread; a refusal is a {@link ProtocolException}.
 */
interface Access {
    /**
     * Somebody who wants to connect. Immutable.
     *
     * @param token null if none came
     * @param user what it calls itself, which counts in the development profile alone
     */
    record Attempt(
            String connection,
            @Nullable String token,
            @Nullable String user,
            @Nullable SocketAddress address,
            @Nullable String origin) {}

    /**
     * One who is connected. Immutable.
     *
     * @param ofTopic what a token for the topic in question grants; null without one
     */
    record Client(
            String connection,
            Grant grant,
            @Nullable Grant ofTopic,
            @Nullable SocketAddress address) {}

    /** What becomes of a client's publish that isn't refused. */
    sealed interface Judgement {
        /** It is published, perhaps rewritten. */
        record Allowed(PublishRequest request) implements Judgement {}

        /** The backend has it, and will publish it itself or won't. */
        record Held() implements Judgement {}
    }

    /** Whether a connection that brings no token is to wait for one. */
    boolean needsToken();

    /** Who it is, and what it may do. */
    CompletableFuture<Grant> connect(Attempt attempt);

    /** What a token grants to one who is connected; its user must be the same. */
    CompletableFuture<Grant> renew(Client client, String token);

    /** What a token grants to one who is connected, for one topic alone; its user must be the same, if it names one. */
    CompletableFuture<Grant> ofTopic(Client client, TopicName topic, String token);

    /** Whether others have to be asked for {@link #subscribe(Client, TopicName)}. */
    boolean asksAbout(Client client, TopicName topic);

    /** Whether it may subscribe. */
    CompletableFuture<Void> subscribe(Client client, TopicName topic);

    /**
     * Whether it may be on a topic for which it was let in before, now that its grant or the rules have changed. That its token has
     * ended is no reason: a client has some time to renew it.
     */
    boolean mayStay(Client client, TopicName topic);

    /** Whether others may have to be asked for {@link #publish}, who can say no to what they have allowed before. */
    boolean asksAbout(TopicName topic, PublishRequest request);

    /** Whether it may publish this, and what becomes of it. */
    CompletableFuture<Judgement> publish(Client client, TopicName topic, PublishRequest request);
}
