package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.Broker.Attachment;
import io.barrage.gateway.broker.Broker.Membership;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.protocol.ServerFrame.Member;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random comings and goings on two event loops against plain maps: whoever has asked once and applies what it is told since knows
 * in the end who is there, on either loop, whenever it asked; and nobody is said to have left who was back within the grace.
 *
 * <p>A failure's name has its seed, with which it happens again.
 */
class MembersModelTest {
    private static final int STEPS = 4_000;
    private static final TopicName ROOM = TopicName.of("room:1");
    private static final long SECOND = 1_000_000_000L;
    private static final long GRACE = 5 * SECOND;

    /** What has happened, for any seed. */
    private static final Set<String> seen = new HashSet<>();

    @AfterAll
    static void hasSeenAll() {
        // Else this has tested less than it says.
        assertEquals(Set.of("joined", "left", "truncated", "told again", "back in time", "loop left"), seen);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void whoAsksOnceKnowsAllThatIsTold(long seed) {
        new Model(seed).run();
    }

    /** A subscriber's own list: what it was given, and what it was told since. */
    private static final class Viewer {
        final Set<String> users = new TreeSet<>();
        /** Whether its list is whole, as far as it has been told. */
        boolean whole;

        void ask(PresencePage page) {
            users.clear();
            page.members().forEach(member -> users.add(member.user()));
            whole = !page.more();
        }

        void told(MembersNews news) {
            if (news.truncated()) {
                whole = false;
            }
            users.removeAll(news.left());
            users.addAll(news.joined());
        }
    }

    /** One connection. */
    private record Here(String user, int loop, Membership membership) {}

    private static final class Model {
        private final Random random;
        private long now = Long.MAX_VALUE - 100 * SECOND;
        private final MemoryBroker broker = new MemoryBroker(
                () -> now,
                topic -> ConfigReader.parse(
                        NamespaceConfig.class, "{name: room, presence: members, members: {max: 20, grace: 5s}}"),
                BrokerMetrics.NOOP,
                1 << 20);
        private final RecordingListener[] listeners = {new RecordingListener(), new RecordingListener()};
        private final Attachment[] attachments = new Attachment[2];
        private final int[] read = new int[2];
        private final List<List<Viewer>> viewers = List.of(new ArrayList<>(), new ArrayList<>());
        private final List<Here> here = new ArrayList<>();
        /** When a user's last connection went, of those that have none. */
        private final Map<String, Long> gone = new HashMap<>();
        /** How many users there are about: changes slowly, so that rooms fill and empty. */
        private int population = 10;

        Model(long seed) {
            random = new Random(seed);
        }

        void run() {
            for (int i = 0; i < STEPS; i++) {
                step();
            }
            // All come to rest: then all is told.
            for (int i = 0; i < 10; i++) {
                now += GRACE;
                tick();
            }
            check();
            while (!here.isEmpty()) {
                leave(here.size() - 1);
            }
            now += GRACE;
            tick();
            assertEquals(0, page().users());
            assertEquals(0, page().online());
        }

        private void step() {
            now += random.nextLong(SECOND / 2);
            if (random.nextInt(100) == 0) {
                population = 4 + random.nextInt(40);
            }
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    if (here.size() < population) {
                        join("u" + random.nextInt(population), random.nextInt(2));
                    } else {
                        leave(random.nextInt(here.size()));
                    }
                }
                case 3 -> {
                    if (!here.isEmpty()) {
                        leave(random.nextInt(here.size()));
                    }
                }
                case 4 -> {
                    if (!here.isEmpty()) {
                        reload();
                    }
                }
                case 5 -> ask();
                default -> tick();
            }
            checkList();
        }

        private PresencePage page() {
            return broker.presence(ROOM).join();
        }

        private Attachment attachment(int loop) {
            if (attachments[loop] == null) {
                attachments[loop] = broker.attach(ROOM, listeners[loop]);
            }
            return attachments[loop];
        }

        private void join(String user, int loop) {
            Attachment attachment = attachment(loop);
            attachment.countSubscriptions(1);
            here.add(new Here(user, loop, attachment.join(user, "\"" + user + "\"")));
            Long since = gone.remove(user);
            if (since != null && now - since < GRACE) {
                seen.add("back in time");
            }
        }

        private void leave(int index) {
            Here left = here.remove(index);
            left.membership.leave();
            attachments[left.loop].countSubscriptions(-1);
            if (here.stream().noneMatch(other -> other.user.equals(left.user))) {
                gone.put(left.user, now);
            }
            if (here.stream().noneMatch(other -> other.loop == left.loop)) {
                // As a shard does when its last subscriber has left.
                deliver(left.loop);
                attachments[left.loop].close();
                attachments[left.loop] = null;
                viewers.get(left.loop).clear();
                seen.add("loop left");
            }
        }

        /** A page is loaded anew, and its connection falls to any loop. */
        private void reload() {
            int index = random.nextInt(here.size());
            String user = here.get(index).user;
            leave(index);
            now += random.nextLong(2 * GRACE);
            if (random.nextBoolean()) {
                tick();
            }
            join(user, random.nextInt(2));
        }

        private void ask() {
            int loop = random.nextInt(2);
            if (attachments[loop] == null) {
                return;
            }
            List<Viewer> all = viewers.get(loop);
            Viewer viewer;
            if (all.size() < 5) {
                viewer = new Viewer();
                all.add(viewer);
            } else {
                viewer = all.get(random.nextInt(all.size()));
            }
            // What is on its way is told after the answer.
            viewer.ask(page());
        }

        private void tick() {
            int[] before = {listeners[0].members.size(), listeners[1].members.size()};
            broker.tellMembers();
            for (int loop = 0; loop < 2; loop++) {
                List<MembersNews> news = listeners[loop].members;
                news.subList(before[loop], news.size()).forEach(this::checkLeft);
                if (random.nextInt(4) > 0) {
                    deliver(loop);
                }
            }
        }

        private void deliver(int loop) {
            List<MembersNews> news = listeners[loop].members;
            for (; read[loop] < news.size(); read[loop]++) {
                MembersNews next = news.get(read[loop]);
                viewers.get(loop).forEach(viewer -> viewer.told(next));
                seen.add(next.truncated() ? "truncated" : next.equals(TOLD_AGAIN) ? "told again" : "joined");
                if (!next.left().isEmpty()) {
                    seen.add("left");
                }
            }
        }

        private static final MembersNews TOLD_AGAIN = new MembersNews(List.of(), List.of(), false);

        private void checkLeft(MembersNews news) {
            for (String user : news.left()) {
                Long since = gone.get(user);
                assertTrue(since != null && now - since >= GRACE, () -> user + " is said to have left");
            }
        }

        /** What is answered now. */
        private void checkList() {
            Map<String, Integer> expected = new TreeMap<>();
            here.forEach(connection -> expected.merge(connection.user, 1, Integer::sum));
            PresencePage all = broker.presence(ROOM, null, 1000).join();
            Map<String, Integer> found = new TreeMap<>();
            for (Member member : all.members()) {
                assertEquals("\"" + member.user() + "\"", member.info());
                if (member.connections() > 0) {
                    found.put(member.user(), member.connections());
                } else {
                    assertTrue(gone.containsKey(member.user()), member.user() + " is neither here nor just gone");
                }
            }
            assertEquals(expected, found);
            assertEquals(here.size(), all.online());
            assertEquals(all.members().size(), all.users());
        }

        /** What the viewers believe, when all has been told. */
        private void check() {
            Set<String> truth = new TreeSet<>();
            here.forEach(connection -> truth.add(connection.user));
            for (int loop = 0; loop < 2; loop++) {
                deliver(loop);
                for (Viewer viewer : viewers.get(loop)) {
                    if (viewer.whole) {
                        assertEquals(truth, viewer.users);
                    }
                }
            }
        }
    }
}
