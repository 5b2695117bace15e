package io.barrage.protocol;

/** What a topic's listeners are told, in the topic's order. Immutable. */
public sealed interface TopicEvent permits Message, TopicValue, Retraction {
    /** Whose it is. */
    TopicName topic();

    /** Upper bound of the memory that it holds while it waits, in bytes. */
    int weight();
}
