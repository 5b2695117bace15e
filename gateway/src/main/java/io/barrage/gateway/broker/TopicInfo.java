package io.barrage.gateway.broker;

/**
 * What a topic is like at a moment. Immutable.
 *
 * @param name its name, a user's {@code $user:...} among them
 * @param offset of its last message; 0 if there was none
 * @param online its subscriptions, of all nodes
 * @param history how many offsets back clients may ask for messages; what was retracted counts
 */
public record TopicInfo(String name, String epoch, long offset, int online, long history) {}
