package io.barrage.gateway.hub;

import java.util.Arrays;

/**
 * A topic's subscriptions on one event loop: those that have kept up stand first, those that are behind after them. A walk
 * goes backwards through the first part; every change swaps with an end of a part, so that none that the walk has still to
 * visit moves out of its way.
 *
 * <p>Confined to its event loop.
 */
final class SubscriptionList {
    private Subscription[] all = new Subscription[1];
    private int size;
    private int caughtUp;

    int size() {
        return size;
    }

    /** How many have kept up: the indexes below. */
    int caughtUp() {
        return caughtUp;
    }

    Subscription get(int index) {
        return all[index];
    }

    /** Adds one that has kept up. */
    void add(Subscription subscription) {
        if (size == all.length) {
            all = Arrays.copyOf(all, size * 2);
        }
        place(subscription, size++);
        toCaughtUp(subscription);
    }

    void remove(Subscription subscription) {
        if (subscription.index < caughtUp) {
            toBehind(subscription);
        }
        size--;
        Subscription last = all[size];
        int hole = subscription.index;
        clear(size);
        if (last != subscription) {
            place(last, hole);
        }
        if (all.length > 8 && size < all.length / 4) {
            all = Arrays.copyOf(all, all.length / 2);
        }
    }

    /** Moves one from the first part to the second. */
    void toBehind(Subscription subscription) {
        swap(subscription, all[--caughtUp]);
    }

    /** Moves one from the second part to the first. */
    void toCaughtUp(Subscription subscription) {
        swap(subscription, all[caughtUp++]);
    }

    private void swap(Subscription a, Subscription b) {
        int indexOfA = a.index;
        place(a, b.index);
        place(b, indexOfA);
    }

    private void place(Subscription subscription, int index) {
        all[index] = subscription;
        subscription.index = index;
    }

    @SuppressWarnings("NullAway") // Behind the end there is nothing, and nobody looks.
    private void clear(int index) {
        all[index] = null;
    }
}
