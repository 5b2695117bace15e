package io.barrage.gateway.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.protocol.ServerFrame.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MembersTest {
    private static final long SECOND = 1_000_000_000L;
    private static final MembersNews TRUNCATED = new MembersNews(List.of(), List.of(), true);
    private static final MembersNews TOLD_AGAIN = new MembersNews(List.of(), List.of(), false);

    // Shortly before the clock wraps round: what compares times instead of differences fails here.
    private long now = Long.MAX_VALUE - SECOND;
    private MembersConfig rules = new MembersConfig(1000, Duration.ofSeconds(5));
    private final Members members = new Members(rules);

    private static MembersNews joined(String... users) {
        return new MembersNews(List.of(), List.of(users), false);
    }

    private static MembersNews left(String... users) {
        return new MembersNews(List.of(users), List.of(), false);
    }

    private Members.Entry join(String user) {
        return members.join(user, null);
    }

    private List<Members.Entry> joinMany(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> join(String.format("u%05d", i)))
                .toList();
    }

    private void leave(Members.Entry entry) {
        members.leave(entry, now);
    }

    private MembersNews tell() {
        return members.tell(rules, now);
    }

    private List<String> listed() {
        return members.page(0).members().stream().map(Member::user).toList();
    }

    @Test
    void tellsAUsersFirstConnectionAndItsLast() {
        Members.Entry phone = join("ada");
        Members.Entry laptop = join("ada");
        assertEquals(joined("ada"), tell());
        assertNull(tell());
        leave(phone);
        now += 10 * SECOND;
        assertNull(tell());
        assertFalse(members.isWaiting());
        leave(laptop);
        assertTrue(members.isWaiting());
        now += 5 * SECOND;
        assertEquals(left("ada"), tell());
        assertFalse(members.isWaiting());
        assertEquals(0, members.page(0).users());
    }

    @Test
    void waitsForThoseWhoComeBackWithinTheGrace() {
        Members.Entry first = join("ada");
        tell();
        leave(first);
        now += 5 * SECOND - 1;
        assertNull(tell());
        Members.Entry second = join("ada");
        now += 5 * SECOND;
        assertNull(tell());
        leave(second);
        now += 5 * SECOND - 1;
        assertNull(tell(), "the grace begins anew");
        now += 1;
        assertEquals(left("ada"), tell());
    }

    @Test
    void saysNothingOfThoseWhoCameAndWentBetween() {
        leave(join("ada"));
        assertNull(tell());
        assertFalse(members.isWaiting());
        assertEquals(List.of(), listed());
    }

    @Test
    void listsThoseWhoMayStillComeBack() {
        Members.Entry ada = members.join("ada", "{\"name\":\"Ada\"}");
        members.join("ada", null);
        members.join("bob", "1");
        members.join("bob", "2");
        tell();
        leave(ada);
        leave(ada);
        // Else whoever asks now would never hear of it if she comes back.
        assertEquals(
                List.of(new Member("ada", 0, "{\"name\":\"Ada\"}"), new Member("bob", 2, "2")),
                members.page(7).members());
        assertEquals(2, members.page(7).users());
        assertEquals(7, members.page(7).online());
    }

    @Test
    void spreadsACrowdOverSeveralTicks() {
        List<Members.Entry> crowd = joinMany(0, 250);
        assertEquals(250, members.page(250).users());
        List<String> told = new ArrayList<>();
        for (int count : new int[] {100, 100, 50}) {
            MembersNews news = assertNotNullNews();
            assertEquals(count, news.joined().size());
            told.addAll(news.joined());
        }
        assertEquals(listed(), told);
        assertNull(tell());
        crowd.forEach(this::leave);
        now += 5 * SECOND;
        for (int count : new int[] {100, 100, 50}) {
            assertEquals(count, assertNotNullNews().left().size());
        }
        assertNull(tell());
        assertEquals(List.of(), listed());
    }

    private MembersNews assertNotNullNews() {
        MembersNews news = tell();
        assertNotNull(news);
        return news;
    }

    @Test
    void saysWhenThereAreTooManyAndWhenItIsOver() {
        rules = new MembersConfig(200, Duration.ofSeconds(5));
        List<Members.Entry> crowd = joinMany(0, 2000);
        assertEquals(TRUNCATED, tell());
        assertTrue(members.isTruncated());
        assertNull(tell());
        assertFalse(members.isWaiting());
        PresencePage page = members.page(2000);
        assertEquals(2000, page.users());
        assertEquals(Members.SAMPLE, page.members().size());
        assertTrue(page.more());

        // At the bound, and for a while below it, nothing changes; then all of it at once.
        crowd.subList(200, 2000).forEach(this::leave);
        now += 5 * SECOND;
        assertNull(tell());
        assertEquals(200, members.page(200).users());
        assertTrue(members.page(200).more());
        crowd.subList(181, 200).forEach(this::leave);
        now += 5 * SECOND;
        assertNull(tell());
        join("u00000");
        leave(crowd.get(180));
        now += 5 * SECOND;
        assertEquals(TOLD_AGAIN, tell());
        assertNull(tell());
        page = members.page(180);
        assertEquals(180, page.members().size());
        assertFalse(page.more());

        // From here on they are told of each again.
        leave(crowd.get(17));
        join("zoe");
        now += 5 * SECOND;
        assertEquals(new MembersNews(List.of("u00017"), List.of("zoe"), false), tell());
    }

    @Test
    void givesTheListInPages() {
        joinMany(0, 25);
        PresencePage first = members.page(25, null, 10);
        assertEquals(10, first.members().size());
        assertTrue(first.more());
        PresencePage second = members.page(25, "u00009", 10);
        assertEquals("u00010", second.members().get(0).user());
        PresencePage last = members.page(25, "u00014", 10);
        assertEquals(10, last.members().size());
        assertFalse(last.more());
        assertEquals(List.of(), members.page(25, "u00024", 10).members());
        assertEquals(20, members.page(25, "u00004x", 100).members().size());
    }

    @Test
    void boundsAListInBytes() {
        String info = "\"" + "x".repeat(2000) + "\"";
        for (int i = 0; i < 500; i++) {
            members.join("u" + i, info);
        }
        PresencePage page = members.page(500);
        assertTrue(page.more());
        assertTrue(
                page.members().size() > 20 && page.members().size() < 200,
                () -> "" + page.members().size());
        assertEquals(500, page.users());
    }

    @Test
    void listsOneAtLeast() {
        members.join("ada", "\"" + "x".repeat(300_000) + "\"");
        members.join("bob", null);
        assertEquals(List.of("ada"), listed());
        assertTrue(members.page(2).more());
    }

    @Test
    void goesOnUnderOtherRules() {
        List<Members.Entry> crowd = joinMany(0, 20);
        tell();
        leave(crowd.get(0));
        now += SECOND;
        rules = new MembersConfig(10, Duration.ofSeconds(1));
        assertEquals(TRUNCATED, tell());
        rules = new MembersConfig(30, Duration.ofSeconds(1));
        assertEquals(TOLD_AGAIN, tell());
        assertEquals(19, members.page(19).users());
    }
}
