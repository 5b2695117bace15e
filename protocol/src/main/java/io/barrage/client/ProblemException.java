package io.barrage.client;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The gateway, or a proxy before it, refused a call: a problem document (RFC 9457) as the gateway writes it. Immutable.
 *
 * <p>What was safe to repeat has been repeated already when this is thrown.
 */
public final class ProblemException extends BarrageException {
    private static final long serialVersionUID = 1;

    private final String type;
    private final String title;
    private final int status;
    private final @Nullable String code;
    private final @Nullable String detail;
    private final @Nullable Duration retryAfter;

    private ProblemException(String what, Document document, @Nullable Duration retryAfter, boolean outcomeUnknown) {
        super(what + " was refused: " + document.summary(), outcomeUnknown, null);
        this.type = document.type;
        this.title = document.title;
        this.status = document.status;
        this.code = document.code;
        this.detail = document.detail;
        this.retryAfter = retryAfter;
    }

    /**
     * What an answer says of a refusal. Immutable.
     *
     * @param code null if the answer isn't the gateway's own
     */
    record Document(
            String type,
            String title,
            int status,
            @Nullable String code,
            @Nullable String detail) {

        /** Reads an answer that isn't a success; one that isn't a problem document has its status alone. */
        static Document of(int status, byte[] body) {
            Map<?, ?> fields = Map.of();
            try {
                fields = Json.object(body);
            } catch (UnreadableAnswerException ignored) {
                // A proxy's own page; its status says enough.
            }
            return new Document(
                    text(fields, "type", "about:blank"),
                    text(fields, "title", "HTTP status " + status),
                    status,
                    fields.get("code") instanceof String code ? code : null,
                    fields.get("detail") instanceof String detail ? detail : null);
        }

        private static String text(Map<?, ?> fields, String name, String otherwise) {
            return fields.get(name) instanceof String text ? text : otherwise;
        }

        private String summary() {
            return (code == null ? title : status + " " + code) + (detail == null ? "" : ": " + detail);
        }

        ProblemException exception(String what, @Nullable Duration retryAfter, boolean outcomeUnknown) {
            return new ProblemException(what, this, retryAfter, outcomeUnknown);
        }
    }

    /** The kind of problem as a URI: {@code about:blank} where status and {@link #code} say all. */
    public String type() {
        return type;
    }

    /** The status in words. */
    public String title() {
        return title;
    }

    /** The answer's HTTP status. */
    public int status() {
        return status;
    }

    /** The gateway's stable name of the problem, such as {@code rate_limited}; null if the answer is a proxy's. */
    public @Nullable String code() {
        return code;
    }

    /** What is wrong, for a person; null if the answer doesn't say. */
    public @Nullable String detail() {
        return detail;
    }

    /** How long to wait before trying again; null if the answer doesn't say. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
