package io.barrage.client;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import org.jspecify.annotations.Nullable;

/** What one call posts, and how its answer is read. Thread-safe; attempts come one behind the other. */
interface Request<T> {
    /** Behind the base URI. */
    String path();

    /** What the body is. */
    String contentType();

    /** The body, or what is left of it, for one more attempt. */
    BodyPublisher body();

    /** Whether it may be made again though it may have been carried out. */
    boolean isRepeatable();

    /**
     * Reads a whole answer.
     *
     * @throws UnreadableAnswerException if it isn't one
     * @throws IOException if it ends too early
     */
    T read(byte[] answer) throws UnreadableAnswerException, IOException;

    /** Reads what came of an answer that was cut off; null if that isn't all that is asked for. */
    default @Nullable T readPart(byte[] answer) {
        return null;
    }

    /** What the call fails with for this reason. */
    default BarrageException failure(BarrageException reason) {
        return reason;
    }

    /** Reads an answer. */
    interface Reader<T> {
        T read(byte[] answer) throws UnreadableAnswerException;
    }

    /** A request whose body, one JSON object, is the same for each attempt. */
    @SuppressWarnings("ArrayRecordComponent") // The body is carried, never compared.
    record OfJson<T>(String path, byte[] json, boolean isRepeatable, Reader<T> reader) implements Request<T> {
        @Override
        public String contentType() {
            return "application/json";
        }

        @Override
        public BodyPublisher body() {
            return BodyPublishers.ofByteArray(json);
        }

        @Override
        public T read(byte[] answer) throws UnreadableAnswerException {
            return reader.read(answer);
        }
    }
}
