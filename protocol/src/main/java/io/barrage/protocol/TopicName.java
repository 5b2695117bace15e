package io.barrage.protocol;

import org.jspecify.annotations.Nullable;

/**
 * The name of a topic: {@code room:42}. The part before the first {@code :} is its namespace.
 *
 * <p>Immutable. A name is 1 to {@value #MAX_LENGTH} characters of {@code A-Z a-z 0-9 . _ ~ = : -} and starts with a letter or
 * a digit. Names that start with {@code $} are the gateway's own; {@link #ofUser} makes the only kind there is.
 */
public final class TopicName {
    /** Greatest length in characters, which are all ASCII. */
    public static final int MAX_LENGTH = 200;

    /** The namespace of names without a {@code :}. */
    public static final String DEFAULT_NAMESPACE = "default";

    /** The namespace of pushes to a user. */
    public static final String USER_NAMESPACE = "$user";

    private static final String USER_PREFIX = USER_NAMESPACE + ":";

    /** Namespaces of late, each at a place of its own or in another's: their topics share the text. */
    private static final @Nullable String[] NAMESPACES = new @Nullable String[64];

    private final String value;
    private final String namespace;
    private final byte[] json;

    private TopicName(String value, String namespace) {
        this.value = value;
        this.namespace = namespace;
        this.json = JsonText.quote(value);
    }

    /**
     * Reads a name that a client or a backend sent.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong with it
     */
    public static TopicName of(String value) {
        String wrong = wrongWith(value);
        if (wrong != null) {
            throw new ProtocolException(ErrorCode.BAD_REQUEST, wrong);
        }
        int colon = value.indexOf(':');
        return new TopicName(value, colon < 0 ? DEFAULT_NAMESPACE : namespace(value, colon));
    }

    /** Without a lock: two threads that meet here may make the same text twice, and that is all. */
    private static String namespace(String value, int colon) {
        int place = (31 * value.charAt(0) + 7 * value.charAt(colon - 1) + colon) % NAMESPACES.length;
        String known = NAMESPACES[place];
        if (known != null && known.length() == colon && value.startsWith(known)) {
            return known;
        }
        String made = value.substring(0, colon);
        NAMESPACES[place] = made;
        return made;
    }

    /** The topic of the pushes to {@code user}, which must be a valid {@link UserName}. */
    public static TopicName ofUser(String user) {
        return new TopicName(USER_PREFIX + UserName.check(user), USER_NAMESPACE);
    }

    /** The topic of a position, which may be a user's. */
    static TopicName ofPosition(String value) {
        return value.startsWith(USER_PREFIX) ? ofUser(value.substring(USER_PREFIX.length())) : of(value);
    }

    private static @Nullable String wrongWith(String value) {
        if (value.isEmpty()) {
            return "a topic name can't be empty";
        }
        if (value.length() > MAX_LENGTH) {
            return "a topic name has at most " + MAX_LENGTH + " characters, this one has " + value.length();
        }
        char first = value.charAt(0);
        if (first == '$') {
            return "topic names that start with '$' are reserved: " + Printable.of(value);
        }
        if (!isLetterOrDigit(first)) {
            return "a topic name starts with a letter or a digit: " + Printable.of(value);
        }
        for (int i = 1; i < value.length(); i++) {
            char c = value.charAt(i);
            if (!isNameCharacter(c)) {
                return "a topic name consists of A-Z a-z 0-9 . _ ~ = : - but this one has " + Printable.of(c) + " at "
                        + i + ": " + Printable.of(value);
            }
        }
        return null;
    }

    /** Whether a character may stand in a name, behind its first. */
    static boolean isNameCharacter(char c) {
        return isLetterOrDigit(c) || ".-_~=:".indexOf(c) >= 0;
    }

    private static boolean isLetterOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    /** The namespace that carries this topic's rules. */
    public String namespace() {
        return namespace;
    }

    /** The name as a quoted JSON string in UTF-8. Not to be changed by the caller. */
    byte[] json() {
        return json;
    }

    /** Length of the name's JSON form in bytes, quotes included. */
    public int jsonLength() {
        return json.length;
    }

    @Override
    public boolean equals(Object other) {
        return this == other || (other instanceof TopicName that && value.equals(that.value));
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    /** The name itself. */
    @Override
    public String toString() {
        return value;
    }
}
