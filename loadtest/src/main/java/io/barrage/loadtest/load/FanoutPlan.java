package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Target;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a {@code fanout} run shall do. Immutable.
 *
 * @param target the gateway
 * @param topics how many topics
 * @param subscribersPerTopic how many subscribers each topic has; with 0, publishing is what is measured
 * @param window closed loop: how many messages, over all topics, may be published and not yet delivered to everybody; without
 *     subscribers, not yet answered
 * @param rate open loop: how many messages a second, over all topics; if present, there is no window
 * @param burst how many messages go to one topic at once
 * @param bytes the size of a message's data
 * @param warmup how long the load runs before anything counts
 * @param duration how long it runs while everything counts
 * @param patience how long nothing may happen before the run is given up
 * @param connectTimeout how long all subscribers together may take to subscribe
 * @param threads the generator's event loops
 * @param publishConnections keep-alive connections to publish over
 * @param samplesPerTopic how many subscribers of a topic read what they receive; by default up to 16 over all topics, at
 *     least one
 * @param maxOutstanding open loop: how many messages may be undelivered before the generator withholds further ones
 * @param pid the server's process, to read its CPU time and memory
 * @param pidTree whether the server's descendants belong to it
 */
public record FanoutPlan(
        Target target,
        int topics,
        int subscribersPerTopic,
        int window,
        OptionalDouble rate,
        int burst,
        int bytes,
        Duration warmup,
        Duration duration,
        Duration patience,
        Duration connectTimeout,
        int threads,
        int publishConnections,
        OptionalInt samplesPerTopic,
        int maxOutstanding,
        OptionalLong pid,
        boolean pidTree) {

    private static final int MAX_SAMPLES = 16;

    public FanoutPlan {
        Checks.atLeast("topics", topics, 1);
        Checks.atLeast("subscribers", subscribersPerTopic, 0);
        Checks.atLeast("burst", burst, 1);
        if (burst > 1 && subscribersPerTopic == 0) {
            throw new IllegalArgumentException("burst: " + burst + " needs subscribers");
        }
        Checks.atLeast("window", window, rate.isPresent() ? 0 : burst);
        Checks.positive("rate", rate);
        Checks.data(bytes);
        Checks.atLeast("threads", threads, 1);
        Checks.atLeast("publish-connections", publishConnections, 1);
        Checks.atLeast("samples", samplesPerTopic.orElse(0), 0);
        Checks.atLeast("max-outstanding", maxOutstanding, burst);
        Checks.notNegative("warmup", warmup);
        Checks.positive("duration", duration);
        Checks.positive("patience", patience);
    }

    /** All sockets that the run opens; more than an {@code int} holds, if somebody asks for it. */
    long sockets() {
        return (long) topics * subscribersPerTopic + connections();
    }

    int subscribers() {
        return topics * subscribersPerTopic;
    }

    /** Whether a publish is done with its answer, since nobody waits for the message. */
    boolean publishesOnly() {
        return subscribersPerTopic == 0;
    }

    /** Whether a topic's publishes take turns over several connections, so that their order isn't looked at. */
    boolean spread() {
        boolean several = rate.isPresent() ? burst > 1 : window > 1;
        return several && !publishesOnly() && target.connectionsPerTopic() > 1;
    }

    /** All connections to publish over. */
    int connections() {
        return spread() ? Math.max(publishConnections, target.connectionsPerTopic()) : publishConnections;
    }

    int samples() {
        int wanted = samplesPerTopic.orElse(Math.max(1, MAX_SAMPLES / topics));
        return Math.min(wanted, subscribersPerTopic);
    }

    /** How messages are let go, for reports. */
    String pacing() {
        String pace = rate.isPresent() ? "open loop, " + rate.getAsDouble() + "/s" : "closed loop, W=" + window;
        return burst == 1 ? pace : pace + ", bursts of " + burst;
    }

    /** One line for reports. */
    public String inWords() {
        return topics + " topics x " + subscribersPerTopic + " subscribers, " + bytes + " bytes, " + pacing();
    }
}
