package io.barrage.loadtest.load;

import io.barrage.loadtest.measure.LatencySummary;
import io.barrage.loadtest.target.Gap;
import io.barrage.loadtest.target.Target;
import io.netty.buffer.ByteBuf;

/**
 * A subscriber of a {@code fanout} run. Confined to its event loop.
 *
 * <p>All count; a sampled one also reads each message's stamp, for latency and order.
 */
final class TopicSubscriber extends Subscriber {
    private final TopicPart part;
    private final FanoutLoop loop;
    private final boolean ordered;
    private long delivered;
    private long told;
    private long nextNumber;

    /** @param ordered whether messages must come in the order in which they were published */
    TopicSubscriber(Target target, String topic, boolean sampled, boolean ordered, TopicPart part) {
        super(target, topic, sampled, part.loop.received);
        this.ordered = ordered;
        this.part = part;
        this.loop = part.loop;
        part.join();
    }

    long delivered() {
        return delivered;
    }

    /** How many messages the gateway said that this subscriber won't get. */
    long told() {
        return told;
    }

    @Override
    void onDelivered(int messages) {
        long level = delivered + told;
        delivered += messages;
        part.advance(level, messages);
    }

    @Override
    public void onMessage(ByteBuf payload, int index, int length) {
        int stamp = Stamp.find(payload, index, length);
        long due = stamp < 0 ? -1 : Stamp.dueNanos(payload, stamp);
        if (due < 0) {
            loop.unreadable++;
            return;
        }
        if (loop.counts(due)) {
            LatencySummary.record(loop.sampledNanos, System.nanoTime() - due);
        }
        if (!ordered) {
            return; // repeats show as deliveries beyond those owed
        }
        long number = Stamp.number(payload, stamp);
        if (number >= nextNumber) {
            nextNumber = number + 1; // a jump is loss, which counting finds, or a refused publish
        } else if (number == nextNumber - 1) {
            loop.repeated++;
        } else {
            loop.disordered++;
        }
    }

    @Override
    void onNotice(String text) {
        Gap gap = target.gap(text);
        if (gap != null) {
            long level = delivered + told;
            told += gap.count();
            part.advance(level, gap.count());
        } else if (loop.firstNotice.isEmpty()) {
            loop.firstNotice = text.length() > 200 ? text.substring(0, 200) : text;
        }
    }

    @Override
    void onClosed(String why) {
        if (loop.closedSubscribers++ == 0) {
            loop.firstClose = why;
        }
        part.leave(delivered + told);
    }
}
