package io.barrage.protocol;

/**
 * The rule for users' names: 1 to {@value #MAX_LENGTH} printable ASCII characters without space and {@code / ? # % @ , *}.
 *
 * <p>Users stay plain strings in the code; this is the one place that says which strings are users.
 */
public final class UserName {
    /** Greatest length in characters. */
    public static final int MAX_LENGTH = 128;

    private static final String FORBIDDEN = "/?#%@,*";

    private UserName() {}

    /**
     * Gives {@code user} back if it is a valid name.
     *
     * @throws ProtocolException with {@link ErrorCode#BAD_REQUEST} and what is wrong with it
     */
    public static String check(String user) {
        if (user.isEmpty() || user.length() > MAX_LENGTH) {
            throw new ProtocolException(
                    ErrorCode.BAD_REQUEST,
                    "a user's name has 1 to " + MAX_LENGTH + " characters, this one has " + user.length());
        }
        for (int i = 0; i < user.length(); i++) {
            char c = user.charAt(i);
            if (c <= ' ' || c > '~' || FORBIDDEN.indexOf(c) >= 0) {
                throw new ProtocolException(
                        ErrorCode.BAD_REQUEST,
                        "a user's name is printable ASCII without space and / ? # % @ , * but this one has "
                                + Printable.of(c) + " at " + i);
            }
        }
        return user;
    }
}
