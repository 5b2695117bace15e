package io.barrage.gateway.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.gateway.broker.PresencePage;
import io.barrage.protocol.AttentionLevel;
import io.barrage.protocol.Priority;
import io.barrage.protocol.ServerFrame.Member;
import io.barrage.protocol.TopicName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SAME_THREAD) // the stepped loop is one thread
class HubMembersTest {
    private static final TopicName ROOM = TopicName.of("room:1");
    private static final long SECOND = 1_000_000_000L;

    private final ShardRig rig = new ShardRig().members("room", 1000);

    @AfterEach
    void leaksNothing() {
        assertEquals(0, rig.snapshot().conservationError());
        assertEquals(0, rig.closeAndCountLeaks(), "buffers leaked");
    }

    private RecordingConnection connect(String user) {
        return rig.connectUser(user, "room:1");
    }

    private PresencePage presence() {
        return rig.broker.presence(ROOM).join();
    }

    private static List<String> news(RecordingConnection connection) {
        List<String> news = new ArrayList<>();
        for (RecordingConnection.Frame frame : connection.received) {
            if (frame.type().equals("join") || frame.type().equals("leave")) {
                news.add(frame.type() + ' ' + frame.json().get("user").asString());
            }
        }
        return news;
    }

    private static List<String> kinds(RecordingConnection connection) {
        return connection.received.stream().map(RecordingConnection.Frame::type).toList();
    }

    @Test
    void tellsTheFirstConnectionOfAUserAndItsLast() {
        RecordingConnection ada = connect("ada");
        rig.tick();
        RecordingConnection phone = connect("bob");
        RecordingConnection laptop = connect("bob");
        rig.tick();
        phone.end();
        rig.loop.advance(10 * SECOND);
        rig.tick();
        rig.unsubscribe(laptop, "room:1");
        rig.loop.advance(5 * SECOND);
        rig.tick();
        assertEquals(List.of("join ada", "join bob", "leave bob"), news(ada));
        assertEquals(List.of("join bob"), news(phone));
        assertEquals(List.of("join bob"), news(laptop));
        assertEquals(
                List.of(new Member("ada", 1, "{\"name\":\"ada\"}")), presence().members());
    }

    @Test
    void countsThoseWithoutAUserOnly() {
        RecordingConnection ada = connect("ada");
        rig.connect("room:1", "other:1");
        rig.tick();
        assertEquals(List.of("join ada"), news(ada));
        assertEquals(2, presence().online());
        assertEquals(1, presence().users());
        assertEquals(Map.of(ROOM, 2), rig.shard.online(ada));
        assertEquals(Map.of(ROOM, 2), rig.shard.online(rig.connections.get(1)), "and nothing of other:1");
    }

    @Test
    void tellsOneThatHadNoUserOnceItHas() {
        RecordingConnection ada = connect("ada");
        RecordingConnection nobody = rig.connect("room:1", "other:1");
        rig.tick();
        nobody.become("bob");
        rig.tick();
        assertEquals(List.of("join ada", "join bob"), news(ada));
        assertEquals(List.of("join ada", "join bob"), news(nobody));
        assertEquals(2, presence().online());
        assertEquals(
                List.of(new Member("ada", 1, "{\"name\":\"ada\"}"), new Member("bob", 1, "{\"name\":\"bob\"}")),
                presence().members());
        rig.unsubscribe(nobody, "room:1");
        rig.loop.advance(5 * SECOND);
        rig.tick();
        assertEquals(List.of("join ada", "join bob", "leave bob"), news(ada));
    }

    @Test
    void tellsAUsersOwnTopicNothing() {
        rig.members("$user", 1000);
        RecordingConnection ada = rig.connectUser("ada");
        rig.shard.subscribe(ada, TopicName.ofUser("ada"), 0, null, 0);
        rig.tick();
        assertEquals(List.of(), news(ada));
        assertEquals(Map.of(), rig.shard.online(ada));
        assertEquals(List.of(ada), rig.shard.connectionsOf("ada"));
        assertEquals(List.of(), rig.shard.connectionsOf("bob"));
    }

    @Test
    void tellsItOnFullAttentionOnly() {
        RecordingConnection digest = connect("ada");
        RecordingConnection batching = rig.connect(Encoding.of(true, false));
        rig.subscribe(batching, "room:1");
        rig.attention(digest, "room:1", AttentionLevel.DIGEST);
        connect("bob");
        rig.tick();
        assertEquals(List.of(), news(digest));
        assertEquals(3, digest.frames("online").get(0).number("count"));
        assertEquals(List.of("join ada", "join bob"), news(batching));
    }

    @Test
    void keepsItsPlaceAmongMessages() {
        RecordingConnection ada = connect("ada");
        rig.tick();
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        connect("bob");
        rig.tick();
        rig.publish("room:1");
        rig.loop.runUntilIdle();
        assertEquals(List.of("subscribed", "join", "message", "join", "online", "message"), kinds(ada));
        assertEquals(List.of(1L, 2L), ada.offsets("room:1"));
    }

    @Test
    void costsACrowdFewFramesInATickAndOneWrite() {
        RecordingConnection ada = connect("ada");
        rig.tick();
        ada.received.clear();
        ada.writes.clear();
        for (int i = 0; i < 250; i++) {
            connect("u" + i);
        }
        for (int joins : new int[] {100, 100, 50}) {
            rig.tick();
            assertEquals(joins, ada.frames("join").size());
            assertTrue(ada.received.size() <= joins + 1, "and not more than one frame with the number");
            assertEquals(1, ada.writes.size(), "one write");
            ada.received.clear();
            ada.writes.clear();
        }
        rig.tick();
        assertEquals(List.of(), ada.received);
    }

    @Test
    void tellsALargeRoomThatItTellsNoMore() {
        RecordingConnection ada = connect("ada");
        rig.tick();
        ada.received.clear();
        List<RecordingConnection> crowd = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            crowd.add(connect("u" + i));
        }
        rig.tick();
        rig.tick();
        rig.tick();
        assertTrue(ada.received.size() <= 2, () -> "2,000 joins cost " + ada.received);
        assertTrue(ada.frames("online").get(0).json().get("truncated").asBoolean());
        PresencePage page = presence();
        assertTrue(page.more());
        assertEquals(2001, page.users());
        assertEquals(100, page.members().size());

        ada.received.clear();
        crowd.subList(0, 1101).forEach(RecordingConnection::end);
        rig.tick();
        assertTrue(ada.frames("online").get(0).json().get("truncated").asBoolean(), "they may be back yet");
        rig.loop.advance(5 * SECOND);
        rig.tick();
        assertEquals(List.of("online", "online"), kinds(ada));
        assertEquals(900, ada.received.get(1).number("count"));
        assertFalse(ada.received.get(1).json().has("truncated"));
        assertFalse(presence().more());
        assertEquals(900, presence().members().size());
        crowd.get(1999).end();
        rig.loop.advance(5 * SECOND);
        rig.tick();
        assertEquals(List.of("leave u1999"), news(ada));
    }

    @Test
    void aCrowdDoesntPushMessagesOutOfASmallLog() {
        ShardRig small = new ShardRig();
        small.members("room", 1000).rules("room", 16, 1 << 20, true);
        List<RecordingConnection> viewers = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            viewers.add(small.connectUser("u" + i, "room:1"));
        }
        // All that happens before the loop gets to it.
        for (int i = 0; i < 3; i++) {
            small.broker.tellMembers();
            small.shard.tellCounts();
        }
        small.publishMany(7, "room:1");
        small.loop.runUntilIdle();
        for (RecordingConnection viewer : viewers) {
            assertEquals(300, viewer.frames("join").size());
            assertEquals(7, viewer.offsets("room:1").size());
            assertEquals(List.of(), viewer.frames("gap"));
        }
        assertEquals(0, small.closeAndCountLeaks(), "buffers leaked");
    }

    @Test
    void hearsOfAnotherBoundInAQuietRoom() {
        RecordingConnection ada = connect("ada");
        for (int i = 0; i < 30; i++) {
            connect("u" + i);
        }
        rig.tick();
        ada.received.clear();
        rig.members("room", 20);
        rig.broker.reconfigure();
        rig.tick();
        assertEquals(List.of("online"), kinds(ada));
        assertTrue(ada.received.get(0).json().get("truncated").asBoolean());
        rig.members("room", 1000);
        rig.broker.reconfigure();
        rig.tick();
        assertEquals(List.of("online", "online"), kinds(ada));
        assertFalse(ada.received.get(1).json().has("truncated"));
    }

    @Test
    void saysToEveryStreamThatThereAreTooManyThoughThereWasNoMemory() {
        List<RecordingConnection> plain = new ArrayList<>();
        for (int i = 0; i < Stream.BUSY; i++) {
            plain.add(connect("u" + i));
        }
        RecordingConnection deflated = rig.connect(Encoding.DEFLATED);
        assertTrue(rig.subscribe(deflated, "room:1"));
        rig.publish("room:1");
        rig.tick();
        rig.members("room", 5);
        rig.broker.reconfigure();
        rig.broker.tellMembers();
        rig.outOfMemory = true;
        for (int i = 0; i < 3; i++) {
            rig.loop.turn();
        }
        rig.outOfMemory = false;
        rig.tick();
        rig.tick();
        for (RecordingConnection connection : List.of(plain.get(0), deflated)) {
            List<RecordingConnection.Frame> told = connection.frames("online");
            assertTrue(
                    told.get(told.size() - 1).json().has("truncated"),
                    kinds(connection).toString());
        }
    }

    @Test
    void hasOneAskAgainThatSkippedSome() {
        ShardRig small = new ShardRig(new HubMemory(1 << 20, 20_000, 16 << 20)).members("room", 1000);
        RecordingConnection ada = small.connectUser("ada", "room:1");
        small.tick();
        ada.received.clear();
        ada.stallNext(1);
        small.publish("room:1");
        small.loop.runUntilIdle();
        small.connectUser("bob", "room:1");
        small.tick();
        // Too much for the loop's memory: its log is dropped, but the node still has all messages.
        for (int i = 0; i < 40; i++) {
            small.publish("room:1", Priority.NORMAL, ShardRig.text(1_000));
            small.loop.runUntilIdle();
        }
        ada.drain();
        small.loop.runUntilIdle();
        assertEquals(41, ada.offsets("room:1").size());
        assertEquals(List.of(), ada.frames("gap"));
        assertEquals(List.of(), news(ada), "it skipped bob's coming");
        List<RecordingConnection.Frame> online = ada.frames("online");
        assertEquals(2, online.size());
        assertTrue(online.get(0).json().get("truncated").asBoolean());
        assertFalse(online.get(1).json().has("truncated"));
        online.forEach(frame -> assertEquals(2, frame.number("count")));
        assertEquals(0, small.closeAndCountLeaks(), "buffers leaked");
    }

    @Test
    void remembersWhatABackendWanted() {
        RecordingConnection ada = connect("ada");
        TopicName other = TopicName.of("other:1");
        assertTrue(rig.shard.put(ada, other, null, 0));
        assertFalse(rig.shard.put(ada, other, null, 0));
        assertTrue(rig.shard.isPutByBackend(ada, other));
        assertFalse(rig.shard.isPutByBackend(ada, ROOM));
        rig.shard.unsubscribe(ada, other);
        rig.subscribe(ada, "other:1");
        assertFalse(rig.shard.isPutByBackend(ada, other));
    }
}
