package io.barrage.loadtest.load;

import io.barrage.loadtest.target.BarrageTarget;
import io.barrage.loadtest.target.Gap;
import io.netty.buffer.ByteBuf;

/** A subscriber that keeps an account of every offset behind its {@code subscribed}. Confined to its event loop. */
abstract class AccountedSubscriber extends Subscriber {
    private final boolean sampled;
    private OffsetAccount account = new OffsetAccount(0);
    private long position;
    private boolean stood;
    private boolean closed;

    /** @param sampled whether it reads the messages' stamps, too */
    AccountedSubscriber(BarrageTarget target, String topic, boolean sampled, ReceiveCounters counters) {
        super(target, topic, OffsetFrames.PREFIX, true, counters);
        this.sampled = sampled;
    }

    /** A sampled one has got a message that was due then. */
    abstract void onSample(long dueNanos);

    /** What came until now, or until it was closed. */
    final OffsetAccount account() {
        return account;
    }

    /** Where the topic stood when the subscription did; what is behind it is owed. */
    final long position() {
        return position;
    }

    /** Whether the subscription ever stood. */
    final boolean stood() {
        return stood;
    }

    /** What is on its way yet isn't owed any more. */
    final void closeAccount() {
        closed = true;
    }

    @Override
    final void onReady(String text) {
        position = OffsetFrames.number(text, "offset");
        account = new OffsetAccount(position);
        stood = true;
    }

    @Override
    public final void onMessage(ByteBuf payload, int index, int length) {
        if (closed) {
            return;
        }
        OffsetFrames.read(payload, index, length, account::message);
        if (sampled) {
            int at = Stamp.find(payload, index, length);
            long due = at < 0 ? -1 : Stamp.dueNanos(payload, at);
            if (due < 0) {
                account.error("a message without a stamp");
            } else {
                onSample(due);
            }
        }
    }

    @Override
    final void onDelivered(int messages) {}

    @Override
    final void onNotice(String text) {
        Gap gap = closed ? null : target.gap(text);
        if (gap != null) {
            account.gap(gap.from(), gap.to());
        }
    }
}
