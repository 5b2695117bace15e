package io.barrage.gateway.broker;

/** What holds where the backend had to be asked and gave no answer. */
public enum HookFailure {
    /** No: nothing passes that the backend hasn't seen. */
    REFUSE,
    /** Yes: a backend that is down stops nobody, and neither does one that a flood keeps from answering. */
    ALLOW
}
