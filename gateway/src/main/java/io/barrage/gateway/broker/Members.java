package io.barrage.gateway.broker;

import io.barrage.protocol.ServerFrame.Member;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The users on one topic: how many connections each has, and what the subscribers have been told of them.
 *
 * <p>Thread-safe, by a lock of its own: a long list mustn't hold up the topic's publishes.
 *
 * <p>Who comes is told with the next {@link #tell}, and who goes if he isn't back within the grace. While there are more than
 * {@code max} nothing of the kind is told: the subscribers know that, and ask anew when it is over.
 *
 * <p>Who is listed is whoever the subscribers believe to be there, or are about to be told of: a list and what is told after it
 * lead to the truth, also if some of that is in the list already, or of somebody who isn't.
 */
final class Members {
    /** Joins, and as many leaves, that one {@link #tell} tells: a flash crowd is spread over several. */
    static final int MAX_TOLD = 100;

    /** Users that are listed of a topic with too many. */
    static final int SAMPLE = 100;

    /** Bytes of names and infos that are listed at once, but for the first; an estimate. */
    static final int MAX_LIST_BYTES = 256 * 1024;

    /** What a member costs in a list besides its name and info. */
    private static final int MEMBER_BYTES = 48;

    /** What a character has at most. */
    private static final int MAX_UTF8_BYTES = 3;

    // under the lock
    private MembersConfig rules;
    private final NavigableMap<String, Entry> entries = new TreeMap<>();
    /** Of whom nobody has been told yet, in the order of their coming. */
    private final Set<Entry> arrived = new LinkedHashSet<>();
    /** Who have no connection left, in the order of their going. */
    private final Set<Entry> leaving = new LinkedHashSet<>();

    private boolean truncated;

    /** A user. Confined to the members' lock. */
    static final class Entry {
        private final String user;
        private @Nullable String info;
        private int connections;
        /** Whether some subscriber knows of it: all were told, or one was given a list with it. */
        private boolean known;

        private long goneNanos;

        private Entry(String user) {
            this.user = user;
        }
    }

    Members(MembersConfig rules) {
        this.rules = rules;
    }

    /**
     * A connection of {@code user} is there.
     *
     * @param info takes the place of what an earlier connection brought; null for nothing new
     * @return to be given to {@link #leave} once
     */
    synchronized Entry join(String user, @Nullable String info) {
        Entry entry = entries.get(user);
        if (entry == null) {
            entry = new Entry(user);
            entries.put(user, entry);
            if (truncated) {
                entry.known = true;
            } else {
                arrived.add(entry);
            }
        } else if (entry.connections == 0) {
            leaving.remove(entry);
        }
        entry.connections++;
        if (info != null) {
            entry.info = info;
        }
        return entry;
    }

    /** A connection that has joined brings another info, which takes the place of what its user had. */
    synchronized void info(Entry entry, String info) {
        entry.info = info;
    }

    /** A connection that had joined is gone. */
    synchronized void leave(Entry entry, long nowNanos) {
        entry.connections--;
        if (entry.connections > 0) {
            return;
        }
        // Who is in a list that was given would stay there for ever without a word.
        if (entry.known) {
            entry.goneNanos = nowNanos;
            leaving.add(entry);
        } else {
            // Came and went, and nobody has heard of it.
            arrived.remove(entry);
            entries.remove(entry.user);
        }
    }

    /**
     * What the subscribers are to be told now; null if nothing.
     *
     * @param now the rules from now on
     */
    synchronized @Nullable MembersNews tell(MembersConfig now, long nowNanos) {
        rules = now;
        long graceNanos = now.grace().toNanos();
        List<String> left = new ArrayList<>();
        for (Iterator<Entry> gone = leaving.iterator(); gone.hasNext() && (truncated || left.size() < MAX_TOLD); ) {
            Entry entry = gone.next();
            if (nowNanos - entry.goneNanos < graceNanos) {
                break;
            }
            gone.remove();
            arrived.remove(entry);
            entries.remove(entry.user);
            if (!truncated) {
                left.add(entry.user);
            }
        }
        if (mustTurn()) {
            truncated = !truncated;
            arrived.forEach(entry -> entry.known = true);
            arrived.clear();
            return new MembersNews(List.of(), List.of(), truncated);
        }
        List<String> joined = new ArrayList<>();
        for (Iterator<Entry> come = arrived.iterator(); come.hasNext() && joined.size() < MAX_TOLD; ) {
            Entry entry = come.next();
            come.remove();
            entry.known = true;
            joined.add(entry.user);
        }
        return left.isEmpty() && joined.isEmpty() ? null : new MembersNews(left, joined, truncated);
    }

    /** Whether there is something that a later {@link #tell} may have to tell. */
    synchronized boolean isWaiting() {
        return !arrived.isEmpty() || !leaving.isEmpty() || mustTurn();
    }

    /** Not back at the same number: a room at the bound would have all its subscribers ask anew again and again. */
    private boolean mustTurn() {
        int max = rules.max();
        return truncated ? entries.size() <= max - max / 10 : entries.size() > max;
    }

    /** Whether there are too many to be told of each. */
    synchronized boolean isTruncated() {
        return truncated;
    }

    /** All users, or some of too many. */
    synchronized PresencePage page(int online) {
        PresencePage page = page(online, null, truncated ? SAMPLE : Integer.MAX_VALUE);
        // Also where the room has just shrunk to what could be listed: its subscribers aren't told of changes yet.
        return truncated ? new PresencePage(page.mode(), online, page.users(), page.members(), true) : page;
    }

    /** At most {@code limit} users, those behind {@code after} in the order of names; null to begin with the first. */
    synchronized PresencePage page(int online, @Nullable String after, int limit) {
        List<Member> listed = new ArrayList<>();
        boolean more = false;
        int bytes = 0;
        for (Entry entry : (after == null ? entries : entries.tailMap(after, false)).values()) {
            bytes += MEMBER_BYTES
                    + entry.user.length()
                    + (entry.info == null ? 0 : MAX_UTF8_BYTES * entry.info.length());
            if (listed.size() == limit || (bytes > MAX_LIST_BYTES && !listed.isEmpty())) {
                more = true;
                break;
            }
            entry.known = true;
            listed.add(new Member(entry.user, entry.connections, entry.info));
        }
        return new PresencePage(PresenceMode.MEMBERS, online, entries.size(), listed, more);
    }
}
