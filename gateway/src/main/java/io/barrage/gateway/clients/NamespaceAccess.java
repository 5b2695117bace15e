package io.barrage.gateway.clients;

import io.barrage.gateway.auth.Grant;
import io.barrage.gateway.auth.TokenVerifier;
import io.barrage.gateway.auth.TopicPatterns;
import io.barrage.gateway.broker.NamespaceConfig;
import io.barrage.gateway.broker.Namespaces;
import io.barrage.gateway.broker.Who;
import io.barrage.gateway.hooks.Asker;
import io.barrage.gateway.hooks.Hooks;
import io.barrage.gateway.hooks.Verdict;
import io.barrage.protocol.ErrorCode;
import io.barrage.protocol.Printable;
import io.barrage.protocol.ProtocolException;
import io.barrage.protocol.PublishRequest;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.UserName;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Decides by tokens and by the rules of the topics' namespaces, and asks the backend where they say so. Thread-safe. */
final class NamespaceAccess implements Access {
    private static final CompletableFuture<Void> ALLOWED = CompletableFuture.completedFuture(null);

    private final Supplier<Namespaces> namespaces;
    private final Supplier<TokenVerifier> tokens;
    private final Hooks hooks;
    private final boolean development;

    /**
     * @param namespaces asked each time, as are {@code tokens}, since they can change
     * @param hooks asked where a rule says so, and about each connection if one of them is for that
     * @param development whether anyone may say who it is, unless there are tokens for that
     */
    NamespaceAccess(Supplier<Namespaces> namespaces, Supplier<TokenVerifier> tokens, Hooks hooks, boolean development) {
        this.hooks = hooks;
        this.namespaces = namespaces;
        this.tokens = tokens;
        this.development = development;
    }

    @Override
    public boolean needsToken() {
        return !tokens.get().config().anonymous();
    }

    @Override
    public CompletableFuture<Grant> connect(Attempt attempt) {
        // A token that the gateway has no key for may be one that the backend knows.
        boolean opaque = attempt.token() != null && isForBackend();
        return granted(attempt, opaque)
                .thenCompose(grant -> hooks.connect(
                        asker(attempt.connection(), grant, attempt.address()),
                        grant,
                        attempt.origin(),
                        opaque ? attempt.token() : null,
                        null));
    }

    /** Whether tokens are the backend's to judge: the gateway has no keys of its own. */
    private boolean isForBackend() {
        return tokens.get().config().isNone() && hooks.asksOnConnecting();
    }

    /** What it has before the backend is asked. */
    private CompletableFuture<Grant> granted(Attempt attempt, boolean opaque) {
        if (attempt.token() != null && !opaque) {
            return verify(attempt.token());
        }
        if (needsToken()) {
            return refuse(ErrorCode.UNAUTHORIZED, "a token is needed to connect");
        }
        if (!development || attempt.user() == null || !tokens.get().config().isNone()) {
            return CompletableFuture.completedFuture(Grant.ANONYMOUS);
        }
        try {
            return CompletableFuture.completedFuture(Grant.unproved(UserName.check(attempt.user())));
        } catch (ProtocolException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<Grant> verify(String token) {
        return tokens.get().config().isNone()
                ? refuse(ErrorCode.NOT_IMPLEMENTED, "this gateway takes no tokens: it runs with 'auth: none'")
                : tokens.get().verify(token);
    }

    @Override
    public CompletableFuture<Grant> renew(Client client, String token) {
        if (isForBackend()) {
            return hooks.connect(asker(client), withoutEnd(client.grant()), null, token, client.grant())
                    .thenApply(granted -> ofSameUser(client, granted));
        }
        return verify(token)
                // A token that names nobody may be one for which the backend does, as it did before.
                .thenApply(granted ->
                        granted.user() == null && hooks.asksOnConnecting() ? granted : ofSameUser(client, granted))
                .thenCompose(granted -> hooks.connect(asker(client), granted, null, null, client.grant()))
                .thenApply(granted -> ofSameUser(client, granted));
    }

    @Override
    public CompletableFuture<Grant> ofTopic(Client client, TopicName topic, String token) {
        return verify(token).thenApply(granted -> granted.user() == null ? granted : ofSameUser(client, granted));
    }

    /** What the backend said before, until it says something else. */
    private static Grant withoutEnd(Grant grant) {
        return grant.with(grant.byBackend(), 0);
    }

    private static Grant ofSameUser(Client client, Grant granted) {
        if (!Objects.equals(client.grant().user(), granted.user())) {
            throw new ProtocolException(
                    ErrorCode.UNAUTHORIZED,
                    "the token is for " + named(granted.user()) + ", and this connection is of "
                            + named(client.grant().user()) + ": connect anew to be somebody else");
        }
        return granted;
    }

    private static String named(@Nullable String user) {
        return user == null ? "nobody (it has no 'sub')" : "user " + Printable.of(user);
    }

    @Override
    public boolean asksAbout(Client client, TopicName topic) {
        return asksAbout(namespaces.get().of(topic), client, topic);
    }

    private boolean asksAbout(NamespaceConfig rules, Client client, TopicName topic) {
        return rules.subscribe() == Who.HOOK && !joins(client, topic);
    }

    @Override
    public CompletableFuture<Void> subscribe(Client client, TopicName topic) {
        NamespaceConfig rules = namespaces.get().of(topic);
        Who who = rules.subscribe();
        if (asksAbout(rules, client, topic)) {
            return hooks.subscribe(asker(client), topic, rules.onHookFailure());
        }
        return allows(who, client, topic, Grant::subscribe, this::proves) || joins(client, topic)
                ? ALLOWED
                : refuse(who, client, "subscribe to this topic");
    }

    /** Whether its token puts it on the topic. */
    private boolean joins(Client client, TopicName topic) {
        return isPutOn(client, topic) && isGood(client.grant());
    }

    /** Whether its token puts it on the topic, or has while it lasted. */
    private static boolean isPutOn(Client client, TopicName topic) {
        return client.grant().join().contains(topic);
    }

    @Override
    public boolean mayStay(Client client, TopicName topic) {
        Who who = namespaces.get().of(topic).subscribe();
        return allows(who, client, topic, Grant::subscribe, Grant::authenticated) || isPutOn(client, topic);
    }

    @Override
    public boolean asksAbout(TopicName topic, PublishRequest request) {
        return publishers(namespaces.get().of(topic), request) == Who.HOOK;
    }

    private static Who publishers(NamespaceConfig rules, PublishRequest request) {
        return request.value() == null ? rules.publish() : rules.publishValues();
    }

    @Override
    public CompletableFuture<Judgement> publish(Client client, TopicName topic, PublishRequest request) {
        NamespaceConfig rules = namespaces.get().of(topic);
        boolean value = request.value() != null;
        Who who = publishers(rules, request);
        if (!allows(who, client, topic, Grant::publish, this::proves)) {
            return refuse(who, client, value ? "publish values to this topic" : "publish to this topic");
        }
        if (!value && request.priority().compareTo(rules.maxClientPriority()) > 0) {
            return refuse(
                    ErrorCode.NOT_PERMITTED,
                    "clients may publish here up to priority "
                            + rules.maxClientPriority().wire());
        }
        return who == Who.HOOK
                ? hooks.publish(asker(client), topic, request, rules.onHookFailure())
                        .thenApply(NamespaceAccess::judgement)
                : CompletableFuture.completedFuture(new Judgement.Allowed(request));
    }

    private static Judgement judgement(Verdict verdict) {
        return verdict instanceof Verdict.Allowed allowed
                ? new Judgement.Allowed(allowed.request())
                : new Judgement.Held();
    }

    private static Asker asker(Client client) {
        return asker(client.connection(), client.grant(), client.address());
    }

    private static Asker asker(String connection, Grant grant, @Nullable SocketAddress address) {
        String host = address instanceof InetSocketAddress inet && inet.getAddress() != null
                ? inet.getAddress().getHostAddress()
                : null;
        return new Asker(connection, grant.user(), grant.authenticated(), host);
    }

    /** @param proves whether a grant counts for more than nobody's */
    private static boolean allows(
            Who who, Client client, TopicName topic, Function<Grant, TopicPatterns> patterns, Predicate<Grant> proves) {
        Grant grant = client.grant();
        Grant ofTopic = client.ofTopic();
        return switch (who) {
            case ANYONE -> true;
            case AUTHENTICATED -> proves.test(grant) || (ofTopic != null && proves.test(ofTopic));
            case TOKEN ->
                (proves.test(grant) && patterns.apply(grant).match(topic))
                        || (ofTopic != null
                                && proves.test(ofTopic)
                                && patterns.apply(ofTopic).match(topic));
            case NONE -> false;
            // Whom the backend has let in stays in, until the backend says otherwise; all else it is asked about.
            case HOOK -> true;
        };
    }

    private boolean proves(Grant grant) {
        return grant.authenticated() && isGood(grant);
    }

    /** Whether it hasn't ended: a connection may stay a while behind that to renew its token, but gets nothing new. */
    private boolean isGood(Grant grant) {
        return grant.expires() == 0
                || System.currentTimeMillis()
                        < grant.expires() * 1000
                                + tokens.get().config().leeway().toMillis();
    }

    private <T> CompletableFuture<T> refuse(Who who, Client client, String what) {
        if (who == Who.AUTHENTICATED || who == Who.TOKEN) {
            if (client.grant().authenticated() && !isGood(client.grant())) {
                return refuse(ErrorCode.TOKEN_EXPIRED, "the token has expired: send 'auth' with a new one");
            }
            String why = who == Who.TOKEN ? ": no token names it for that" : ": that needs a token";
            return refuse(ErrorCode.NOT_PERMITTED, "this connection may not " + what + why);
        }
        return refuse(ErrorCode.NOT_PERMITTED, "this connection may not " + what);
    }

    private static <T> CompletableFuture<T> refuse(ErrorCode code, String message) {
        return CompletableFuture.failedFuture(new ProtocolException(code, message));
    }
}
