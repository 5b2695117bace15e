package io.barrage.loadtest.load;

import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.BarrageTarget;

/** Stamped messages to one topic, and how far the gateway has taken them. Confined to its event loop. */
final class AccountedStream implements OpenLoopPublisher.Source {
    private final Stamp stamp;
    private final byte[] head;
    private final byte[] tail;
    private long accepted;
    private long lastOffset;

    /** @param bytes the size of a message's data */
    AccountedStream(BarrageTarget target, String topic, int bytes) {
        this.stamp = new Stamp(bytes);
        this.head = target.publishHead(topic, bytes);
        this.tail = target.publishTail();
    }

    @Override
    public void publish(PublishConnection connection, Publication publication) {
        connection.publish(publication, head, stamp.write(publication.dueNanos(), publication.sequence()), tail);
    }

    @Override
    public void onAnswer(Publication publication, Answer answer) {
        if (answer.verdict() == Answer.Verdict.ACCEPTED) {
            accepted++;
            lastOffset = Math.max(lastOffset, answer.offset());
        }
    }

    /** How many messages the gateway has accepted. */
    long accepted() {
        return accepted;
    }

    /** The last of their offsets: what every account must reach. */
    long lastOffset() {
        return lastOffset;
    }
}
