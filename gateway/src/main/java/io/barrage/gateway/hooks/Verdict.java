package io.barrage.gateway.hooks;

import io.barrage.protocol.PublishRequest;

/** What becomes of a publish that the backend doesn't refuse. */
public sealed interface Verdict {
    /** It is published, perhaps rewritten. Immutable. */
    record Allowed(PublishRequest request) implements Verdict {}

    /** The backend has it, and will publish it itself or won't. Immutable. */
    record Held() implements Verdict {}
}
