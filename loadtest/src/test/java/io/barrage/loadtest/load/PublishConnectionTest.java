package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.barrage.loadtest.target.Answer;
import io.barrage.loadtest.target.TargetKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PublishConnectionTest {
    private static final InetSocketAddress HERE = InetSocketAddress.createUnresolved("127.0.0.1", 8081);

    private final List<String> events = new ArrayList<>();
    private final PublishConnection connection =
            new PublishConnection(TargetKind.BARRAGE.at(HERE, HERE), new PublishConnection.Listener() {
                @Override
                public void onAnswer(Publication publication, Answer answer, String detail) {
                    events.add(publication.sequence() + " " + answer.verdict() + " " + answer.offset() + " " + detail);
                }

                @Override
                public void onBroken(int unanswered, String why) {
                    events.add("broken " + unanswered + ": " + why);
                }
            });
    private final EmbeddedChannel channel = new EmbeddedChannel(connection.handlers());

    @AfterEach
    void end() {
        channel.finishAndReleaseAll();
    }

    private void publish(int number) {
        connection.publish(new Publication(0, number, 0, 0), "head".getBytes(UTF_8), new byte[] {'.'}, new byte[0]);
    }

    private void answer(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, UTF_8));
    }

    private static String ok(String body) {
        return "HTTP/1.1 200 OK\r\ncontent-length: " + body.length() + "\r\n\r\n" + body;
    }

    @Test
    void sendsNothingBeforeTheFlush() {
        publish(0);
        assertEquals(0, channel.outboundMessages().size());
        connection.flush();
        ByteBuf sent = channel.readOutbound();
        assertEquals("head.", sent.toString(UTF_8));
        sent.release();
    }

    @Test
    void matchesPipelinedAnswersWithTheirPublishes() {
        publish(0);
        publish(1);
        publish(2);
        connection.flush();
        assertEquals(3, connection.unanswered());
        answer(ok("{\"topic\":\"t\",\"epoch\":\"e\",\"offset\":71}")
                + "HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n" + "4\r\nbusy\r\n0\r\n\r\n"
                + ok("{\"topic\":\"t\",\"shed\":\"budget\"}"));
        assertEquals(
                List.of("0 ACCEPTED 71 ", "1 REFUSED 0 503 busy", "2 SHED 0 200 {\"topic\":\"t\",\"shed\":\"budget\"}"),
                events);
        assertEquals(0, connection.unanswered());
    }

    @Test
    void tellsOnceHowManyPublishesWereLeftWithoutAnswer() {
        publish(0);
        publish(1);
        connection.flush();
        channel.close().syncUninterruptibly();
        assertEquals(List.of("broken 2: the gateway closed the connection"), events);
    }

    @Test
    void noticesThatTheGatewayEndsKeepAlive() {
        publish(0);
        connection.flush();
        answer("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{\"offset\":1}");
        assertEquals("0 ACCEPTED 1 ", events.get(0));
        assertEquals("broken 0: the gateway ends keep-alive", events.get(1));
    }

    @Test
    void takesNoAnswerThatNobodyAskedFor() {
        answer(ok("{}"));
        assertEquals(List.of("broken 0: an answer (200) to no request"), events);
    }

    @Test
    void takesNothingThatIsNotHttp() {
        publish(0);
        connection.flush();
        answer("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        assertEquals(1, events.size());
        assertEquals("broken 1: not HTTP", events.get(0).substring(0, 18));
    }
}
