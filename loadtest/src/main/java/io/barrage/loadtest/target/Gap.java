package io.barrage.loadtest.target;

/**
 * A range of messages that a gateway told a subscriber it will not get. Immutable.
 *
 * @param from the first missing offset
 * @param to the last missing offset, inclusive
 * @param count how many messages that are
 * @param reason the gateway's word for why
 */
public record Gap(long from, long to, long count, String reason) {}
