package io.barrage.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A publish to one of a topic's values: what is to be merged into it, and how. Immutable; {@code data} must not be changed.
 */
public final class ValueChange {
    /** Greatest length of a key in characters. */
    public static final int MAX_KEY_LENGTH = 64;

    /** Greatest size of an entry of {@link Merge#TOP}, in bytes. */
    public static final int MAX_ENTRY_BYTES = 1024;

    private final String key;
    private final Merge merge;
    private final byte[] data;
    private final @Nullable ExactNumber number;
    private final @Nullable String entryId;

    private ValueChange(String key, Merge merge, byte[] data, @Nullable ExactNumber number, @Nullable String entryId) {
        this.key = key;
        this.merge = merge;
        this.data = data;
        this.number = number;
        this.entryId = entryId;
    }

    /**
     * Reads what is to be merged.
     *
     * @param data one JSON value; kept, not to be changed
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} if key or data aren't what they must be
     */
    public static ValueChange of(String key, Merge merge, byte[] data) {
        checkKey(key);
        if (merge == Merge.LAST || isNull(data)) {
            return new ValueChange(key, merge, data, null, null);
        }
        return merge == Merge.TOP
                ? entry(key, data)
                : new ValueChange(
                        key, merge, data, number(data, "with merge '" + merge.wire() + "' field 'data'"), null);
    }

    static String checkKey(String key) {
        if (key.isEmpty() || key.length() > MAX_KEY_LENGTH) {
            throw JsonObjectReader.bad("field 'key' has 1 to " + MAX_KEY_LENGTH + " characters, found " + key.length());
        }
        for (int i = 0; i < key.length(); i++) {
            if (!TopicName.isNameCharacter(key.charAt(i))) {
                throw JsonObjectReader.bad("field 'key' consists of A-Z a-z 0-9 . _ ~ = : - but this one has "
                        + Printable.of(key.charAt(i)) + " at " + i + ": " + Printable.of(key));
            }
        }
        return key;
    }

    private static boolean isNull(byte[] data) {
        return data.length == 4 && data[0] == 'n';
    }

    private static ExactNumber number(byte[] data, String what) {
        if (!ExactNumber.isNumber(data)) {
            throw JsonObjectReader.bad(what + " must be a number, or null to remove the key");
        }
        ExactNumber number = ExactNumber.parse(data);
        if (number == null) {
            throw JsonObjectReader.bad(what + " has at most " + ExactNumber.MAX_PLACES
                    + " digits before and " + ExactNumber.MAX_PLACES + " behind the decimal point, and "
                    + ExactNumber.MAX_TEXT + " characters");
        }
        return number;
    }

    private static ValueChange entry(String key, byte[] data) {
        if (data.length == 0 || data[0] != '{') {
            throw JsonObjectReader.bad("with merge 'top' field 'data' must be an object with an id (string) and a score"
                    + " (number), or null to remove the key");
        }
        if (data.length > MAX_ENTRY_BYTES) {
            throw JsonObjectReader.bad(
                    "with merge 'top' field 'data' has at most " + MAX_ENTRY_BYTES + " bytes, this has " + data.length);
        }
        String id = null;
        ExactNumber score = null;
        try (JsonObjectReader json = JsonObjectReader.open(data)) {
            for (String field = json.nextField(); field != null; field = json.nextField()) {
                switch (field) {
                    case "id" -> id = json.string();
                    case "score" -> score = number(json.raw(), "field 'score'");
                    default -> json.skip();
                }
            }
        } catch (ProtocolException e) {
            throw JsonObjectReader.bad("in field 'data': " + e.getMessage());
        }
        if (id == null || score == null) {
            throw JsonObjectReader.bad("with merge 'top' field 'data' needs an id (string) and a score (number)");
        }
        return new ValueChange(key, Merge.TOP, data, score, id);
    }

    /** Which value. */
    public String key() {
        return key;
    }

    /** How it is merged. */
    public Merge merge() {
        return merge;
    }

    /** What was published, byte for byte. */
    public byte[] data() {
        return data;
    }

    /** Whether it removes the key. */
    public boolean isRemoval() {
        return isNull(data);
    }

    /** The number to be merged, or an entry's score; only where there is one. */
    public ExactNumber number() {
        if (number == null) {
            throw new IllegalStateException("no number with merge " + merge.wire());
        }
        return number;
    }

    /** Whose score it is; only with {@link Merge#TOP}. */
    public String entryId() {
        if (entryId == null) {
            throw new IllegalStateException("no entry with merge " + merge.wire());
        }
        return entryId;
    }
}
