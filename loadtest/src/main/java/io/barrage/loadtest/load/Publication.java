package io.barrage.loadtest.load;

/**
 * One publish on its way. Immutable.
 *
 * @param topic the index of its topic in the run
 * @param sequence the message's number in its topic, from 0
 * @param dueNanos when the schedule wanted it sent ({@link System#nanoTime})
 * @param sentNanos when it was handed to the socket
 */
record Publication(int topic, long sequence, long dueNanos, long sentNanos) {}
