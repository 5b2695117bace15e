package io.barrage.gateway.hub;

import io.barrage.gateway.broker.MembersNews;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Message;
import io.barrage.protocol.Retraction;
import io.barrage.protocol.ServerFrame;
import io.barrage.protocol.TopicEvent;
import io.barrage.protocol.TopicName;
import io.barrage.protocol.TopicValue;
import io.barrage.protocol.WebSocketFrames;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has come from the broker to one event loop and isn't in its topics' streams yet.
 *
 * <p>{@link #reserve}, {@link #release} and {@link #offer} are for any thread, the rest is confined to the event loop.
 */
final class Incoming {
    /** Weight of the messages that one slice appends: with small ones about a millisecond. */
    static final int MAX_APPENDED_BYTES = 256 * 1024;

    /** Topics that one slice asks for their counts, each under its lock. */
    static final int MAX_COUNTED_TOPICS = 500;

    private static final Logger logger = LoggerFactory.getLogger(Incoming.class);

    // any thread
    private final Loop loop;
    private final long maxQueuedBytes;
    private final MpscUnboundedAtomicArrayQueue<TopicEvent> offered = new MpscUnboundedAtomicArrayQueue<>(1024);
    private final AtomicLong queuedBytes = new AtomicLong();

    // loop only
    private final Topics topics;
    private final Walks walks;
    /** How many topics have still to be asked for their counts: those with the indexes below. */
    private int countsToTell;
    /** Whether a bug of ours has been logged. */
    private boolean hasFailed;
    /** Hidden messages by topic, to be told with the next drain. */
    private final Map<TopicName, Long> hiddenToTell = new HashMap<>();
    /** Who has come to topics and left them, to be told with the next drain. */
    private final ArrayDeque<TopicNews> membersToTell = new ArrayDeque<>();

    private record TopicNews(TopicName topic, MembersNews news) {}

    /** Whether there was no memory for what is to be appended next. */
    private boolean outOfMemory;

    Incoming(Loop loop, long maxQueuedBytes, Topics topics, Walks walks) {
        this.loop = loop;
        this.maxQueuedBytes = maxQueuedBytes;
        this.topics = topics;
        this.walks = walks;
    }

    // ---------------------------------------------------------------- any thread

    /** Takes room in the queue; false if there is none. */
    boolean reserve(int bytes) {
        if (queuedBytes.addAndGet(bytes) <= maxQueuedBytes) {
            return true;
        }
        queuedBytes.addAndGet(-bytes);
        return false;
    }

    /** Gives back room that {@link #reserve} took and {@link #offer} didn't use. */
    void release(int bytes) {
        queuedBytes.addAndGet(-bytes);
    }

    void offer(TopicEvent event) {
        offered.offer(event);
    }

    /** Whether nothing was offered since. */
    boolean isEmpty() {
        return offered.isEmpty();
    }

    long queuedBytes() {
        return queuedBytes.get();
    }

    // ---------------------------------------------------------------- the loop

    void tellHidden(TopicName topic, long count) {
        assert loop.inLoop();
        hiddenToTell.merge(topic, count, Long::sum);
    }

    void tellMembers(TopicName topic, MembersNews news) {
        assert loop.inLoop();
        membersToTell.add(new TopicNews(topic, news));
    }

    /** Has topics told how many are there, if that has changed. */
    void tellCounts() {
        assert loop.inLoop();
        // Not at once: logs move on only in a drain, when all have read what must not be lost.
        if (countsToTell == 0) {
            countsToTell = topics.size();
        }
    }

    /** Whether something other than messages waits. */
    boolean hasNews() {
        return countsToTell > 0 || !hiddenToTell.isEmpty() || !membersToTell.isEmpty();
    }

    /** Whether there was no memory for what comes next. */
    boolean isOutOfMemory() {
        return outOfMemory;
    }

    /** Appends what waits to the topics' streams, as much of it as one slice may, and as the streams take. */
    void append() {
        long taken = 0;
        outOfMemory = false;
        try {
            // Before the numbers, so that one frame can say that there are too many for names.
            appendMembers();
            appendCounts();
            if (!hiddenToTell.isEmpty()) {
                appendHidden();
            }
            for (TopicEvent event = offered.peek();
                    event != null && !walks.mustComeFirst() && taken < MAX_APPENDED_BYTES;
                    event = offered.peek()) {
                try {
                    append(event);
                } catch (RuntimeException e) {
                    report(event.topic(), e);
                }
                offered.poll();
                taken += event.weight();
            }
        } catch (OutOfMemoryError e) {
            // The message stays where it is, since the next one would be a hole: the walks may free memory, and a full
            // queue tells the publishers.
            outOfMemory = true;
        } finally {
            if (taken > 0) {
                queuedBytes.addAndGet(-taken);
            }
        }
    }

    /** Something failed by a bug of ours: it is left out, since tried again it would fail again, and hold up all the rest. */
    private void report(TopicName topic, RuntimeException bug) {
        // Once, since it may be every message.
        if (!hasFailed) {
            hasFailed = true;
            logger.error("A topic's news failed by a bug of ours; others may, unlogged. topic={}", topic, bug);
        }
    }

    private void append(TopicEvent event) {
        if (event instanceof Message message) {
            append(message);
        } else if (event instanceof TopicValue value) {
            append(value);
        } else if (event instanceof Retraction retraction) {
            append(retraction);
        }
    }

    private void append(Message message) {
        if (message.offset() == Message.NO_OFFSET) {
            giveBack(message);
            return;
        }
        Topic topic = topics.get(message.topic());
        // Gone: the last subscriber left. Old: offered to an earlier registration than the present one.
        if (topic == null || message.offset() <= topic.lastOffset) {
            return;
        }
        long now = message.canExpire() ? loop.nanoTime() : 0;
        for (Stream stream : topic.streams()) {
            if (stream.append(message, now)) {
                walks.grown(stream);
            }
        }
        topic.lastOffset = message.offset();
    }

    /** Gives a hidden message to those of its sender's connections that are on its topic. */
    private void giveBack(Message message) {
        String sender = message.sender();
        Topic pushes = sender == null ? null : topics.get(TopicName.ofUser(sender));
        if (pushes == null) {
            return;
        }
        byte[] frame = WebSocketFrames.text(message);
        for (Stream stream : pushes.streams()) {
            for (int i = 0; i < stream.subscriptions.size(); i++) {
                Connection connection = stream.subscriptions.get(i).connection;
                if (connection.subscriptionTo(message.topic()) != null) {
                    connection.giveBack(frame);
                }
            }
        }
    }

    /** Goes to every level of attention: who asks for less now may have shown the messages before. */
    private void append(Retraction retraction) {
        Topic topic = topics.get(retraction.topic());
        if (topic != null) {
            byte[] frame = WebSocketFrames.text(new ServerFrame.Retract(topic.name, retraction.offsets()));
            for (Stream stream : topic.streams()) {
                stream.append(frame);
                walks.grown(stream);
            }
        }
    }

    private void append(TopicValue value) {
        Topic topic = topics.get(value.topic());
        // Old: offered to an earlier registration than the present one, which began with later values.
        if (topic != null && value.number() > topic.attachment.lastValue()) {
            topic.tell(value);
            byte[] frame = WebSocketFrames.frame(WebSocketFrames.Opcode.TEXT, value.json());
            for (Stream stream : topic.streams()) {
                if (stream.level == AttentionLevel.FULL) {
                    stream.append(frame);
                    walks.ready(stream);
                }
            }
        }
    }

    // ---------------------------------------------------------------- who is there, and what was hidden

    private void appendHidden() {
        Iterator<Map.Entry<TopicName, Long>> all = hiddenToTell.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<TopicName, Long> told = all.next();
            Topic topic = topics.get(told.getKey());
            long count = told.getValue();
            // Noted first: where there is no memory for the frames, those who had theirs mustn't get a second one.
            all.remove();
            if (topic != null) {
                for (Stream stream : topic.streams()) {
                    stream.addHiddenToTell(count);
                }
                try {
                    appendHidden(topic);
                } catch (RuntimeException e) {
                    report(topic.name, e);
                }
            }
        }
    }

    private void appendHidden(Topic topic) {
        for (Stream stream : topic.streams()) {
            if (stream.appendHiddenToTell()) {
                walks.ready(stream);
            }
        }
    }

    /** Tells some topics, the last ones first: those that leave and come meanwhile change places behind them only. */
    private void appendCounts() {
        countsToTell = Math.min(countsToTell, topics.size());
        for (int end = Math.max(0, countsToTell - MAX_COUNTED_TOPICS); countsToTell > end; countsToTell--) {
            Topic topic = topics.at(countsToTell - 1);
            try {
                appendCount(topic);
            } catch (RuntimeException e) {
                report(topic.name, e);
            }
        }
    }

    private void appendCount(Topic topic) {
        appendHidden(topic);
        if (topic.rules.countsPresence()) {
            int online = topic.attachment.online();
            if (topic.mustTellOnline(online)) {
                appendOnline(topic, online);
            }
        }
    }

    private void appendOnline(Topic topic, int online) {
        byte[] frame = WebSocketFrames.text(new ServerFrame.Online(topic.name, online, topic.truncated));
        for (Stream stream : topic.streams()) {
            stream.append(frame);
            walks.ready(stream);
        }
        topic.toldOnline(online);
    }

    private void appendMembers() {
        int taken = 0;
        for (TopicNews told = membersToTell.peek();
                told != null && !walks.mustComeFirst() && taken < MAX_APPENDED_BYTES;
                told = membersToTell.peek()) {
            Topic topic = topics.get(told.topic);
            if (topic != null) {
                try {
                    taken += appendNews(topic, told.news);
                } catch (RuntimeException e) {
                    report(topic.name, e);
                }
            }
            membersToTell.poll();
        }
    }

    /** Gives the number of bytes that there was to tell. */
    private int appendNews(Topic topic, MembersNews news) {
        if (topic.truncated != news.truncated()) {
            topic.truncated = news.truncated();
            // Noted first: where a stream has no memory for it, the next tick tells all.
            topic.tellOnlineAgain();
            appendOnline(topic, topic.attachment.online());
        }
        int bytes = 0;
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        for (String user : news.left()) {
            frames.writeBytes(WebSocketFrames.text(new ServerFrame.Leave(topic.name, user)));
            bytes += appendMembers(topic, frames, Stream.MAX_BATCH_BYTES);
        }
        for (String user : news.joined()) {
            frames.writeBytes(WebSocketFrames.text(new ServerFrame.Join(topic.name, user)));
            bytes += appendMembers(topic, frames, Stream.MAX_BATCH_BYTES);
        }
        return bytes + appendMembers(topic, frames, 1);
    }

    /** Appends {@code frames}, from so many bytes on, as one: a crowd's coming mustn't push messages out of the logs. */
    private int appendMembers(Topic topic, ByteArrayOutputStream frames, int minBytes) {
        if (frames.size() < minBytes) {
            return 0;
        }
        byte[] bytes = frames.toByteArray();
        frames.reset();
        for (Stream stream : topic.streams()) {
            if (stream.level == AttentionLevel.FULL) {
                stream.append(bytes);
                walks.grown(stream);
            }
        }
        return bytes.length;
    }

    /** Drops what waits. */
    void clear() {
        assert loop.inLoop();
        offered.clear();
    }
}
