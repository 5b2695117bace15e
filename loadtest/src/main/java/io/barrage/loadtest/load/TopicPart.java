package io.barrage.loadtest.load;

/** The subscribers of one topic that live on one event loop. Confined to its event loop. */
final class TopicPart {
    final int topic;
    final FanoutLoop loop;
    private final int loopIndex;
    private final FanoutPublisher publisher;
    private final Levels levels = new Levels();
    private long toldFloor;

    TopicPart(int topic, int loopIndex, FanoutLoop loop, FanoutPublisher publisher) {
        this.topic = topic;
        this.loopIndex = loopIndex;
        this.loop = loop;
        this.publisher = publisher;
    }

    /** Before the run. */
    void join() {
        levels.join();
    }

    void advance(long level, long messages) {
        levels.advance(level, messages);
        tell(levels.floor());
    }

    void leave(long level) {
        levels.leave(level);
        tell(levels.subscribers() == 0 ? Long.MAX_VALUE : levels.floor());
    }

    private void tell(long floor) {
        if (floor != toldFloor) {
            toldFloor = floor;
            publisher.floorRaised(topic, loopIndex, floor);
        }
    }
}
