package io.barrage.loadtest.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.barrage.loadtest.danmaku.DanmakuComment;
import io.barrage.loadtest.target.Bytes;
import io.netty.buffer.ByteBuf;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The data that {@code replay} publishes: a comment as pages show it, then the run and the comment's number. Immutable.
 *
 * <pre>{"text":"hello","mode":"scroll","color":"#ffffff","kind":"comment","run":"k3x9","seq":17}</pre>
 *
 * <p>A delivered comment is recognised by the bytes of its run and number. JSON escapes quotes inside of strings, so no text
 * can look like them, and others who publish to the same topic are told apart.
 */
final class CommentData {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int MAX_DIGITS = 10;

    private final String run;
    private final byte[] mark;

    /** @param run letters and digits that no other run uses */
    CommentData(String run) {
        this.run = run;
        this.mark = ("\"run\":\"" + run + "\",\"seq\":").getBytes(UTF_8);
    }

    byte[] write(DanmakuComment comment, int number) {
        ObjectNode data = JSON.createObjectNode();
        data.put("text", comment.text());
        data.put("mode", comment.mode().wire());
        data.put("color", comment.color());
        data.put("kind", "comment");
        data.put("run", run);
        data.put("seq", number);
        return JSON.writeValueAsBytes(data);
    }

    /** The number of the comment in a delivered payload, or -1 if it isn't of this run. */
    long number(ByteBuf payload, int index, int length) {
        int end = index + length;
        // Usually the last bytes; elsewhere only behind a gateway that orders keys anew.
        int near = Math.max(index, end - mark.length - MAX_DIGITS - 4);
        int at = Bytes.indexOf(payload, near, end, mark);
        if (at < 0) {
            at = Bytes.indexOf(payload, index, end, mark);
        }
        return at < 0 ? -1 : Bytes.decimal(payload, at + mark.length);
    }
}
