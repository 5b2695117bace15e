package io.barrage.loadtest.target;

/**
 * Barrage with subscribers that ask for {@code batch=1}: messages that leave together share a frame. Immutable.
 *
 * @param barrage all the rest
 */
public record BatchTarget(BarrageTarget barrage) implements BarrageVariant {
    @Override
    public String subscribePath(String topic) {
        return barrage.subscribePath(topic) + "&batch=1";
    }

    @Override
    public Records records(String topic) {
        return new BatchRecords();
    }
}
