package io.barrage.protocol;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A decimal number that is never rounded: 0.1 + 0.2 is 0.3. Immutable.
 *
 * <p>What is read has bounds, so that no number from outside takes much memory or time: at most {@value #MAX_TEXT} characters,
 * an absolute value below 10^{@value #MAX_PLACES}, and at most {@value #MAX_PLACES} decimal places. A sum may be larger, by as
 * many digits as the number of its addends has.
 */
public final class ExactNumber {
    /** Greatest length of a number's text. */
    static final int MAX_TEXT = 100;

    /** Most digits before, and most behind, the decimal point. */
    static final int MAX_PLACES = 40;

    /** Whole numbers of so many digits fit into a long, whichever they are. */
    private static final int SAFE_DIGITS = 18;

    /** The number, if {@code decimal} is null. */
    private final long whole;
    /** Null for all that fit into a long. Without trailing zeros behind the point. */
    private final @Nullable BigDecimal decimal;

    private ExactNumber(long whole, @Nullable BigDecimal decimal) {
        this.whole = whole;
        this.decimal = decimal;
    }

    /** A whole number. */
    public static ExactNumber of(long whole) {
        return new ExactNumber(whole, null);
    }

    private static ExactNumber of(BigDecimal value) {
        BigDecimal stripped = value.stripTrailingZeros();
        if (stripped.scale() <= 0 && stripped.precision() - stripped.scale() <= SAFE_DIGITS) {
            return of(stripped.longValueExact());
        }
        return new ExactNumber(0, stripped);
    }

    /** Whether a JSON value is a number. */
    static boolean isNumber(byte[] json) {
        return json.length > 0 && (json[0] == '-' || isDigit(json[0]));
    }

    /**
     * Reads a JSON number.
     *
     * @return null if it is out of bounds
     */
    public static @Nullable ExactNumber parse(byte[] json) {
        if (isShortWhole(json)) {
            return of(shortWhole(json));
        }
        if (json.length > MAX_TEXT) {
            return null;
        }
        BigDecimal value;
        try {
            value = new BigDecimal(new String(json, StandardCharsets.US_ASCII));
        } catch (NumberFormatException ignored) {
            // Of what is JSON, only an exponent beyond an int.
            return null;
        }
        if (value.signum() == 0) {
            return of(0);
        }
        // Before anything that would write out its digits.
        long integerPlaces = (long) value.precision() - value.scale();
        if (integerPlaces > MAX_PLACES || value.scale() > MAX_PLACES + MAX_TEXT) {
            return null;
        }
        return value.stripTrailingZeros().scale() > MAX_PLACES ? null : of(value);
    }

    private static boolean isShortWhole(byte[] json) {
        int from = (json.length > 0 && json[0] == '-') ? 1 : 0;
        if (json.length == from || json.length - from > SAFE_DIGITS) {
            return false;
        }
        for (int i = from; i < json.length; i++) {
            if (!isDigit(json[i])) {
                return false;
            }
        }
        return true;
    }

    private static long shortWhole(byte[] json) {
        boolean negative = json[0] == '-';
        long value = 0;
        for (int i = negative ? 1 : 0; i < json.length; i++) {
            value = 10 * value + json[i] - '0';
        }
        return negative ? -value : value;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** The exact sum. */
    public ExactNumber plus(ExactNumber other) {
        if (decimal == null && other.decimal == null) {
            long sum = whole + other.whole;
            // Overflow: the sum's sign is neither's.
            if (((whole ^ sum) & (other.whole ^ sum)) >= 0) {
                return of(sum);
            }
        }
        return of(toDecimal().add(other.toDecimal()));
    }

    /** Whether this is the greater one. */
    public boolean isGreaterThan(ExactNumber other) {
        return (decimal == null && other.decimal == null)
                ? whole > other.whole
                : toDecimal().compareTo(other.toDecimal()) > 0;
    }

    private BigDecimal toDecimal() {
        return decimal == null ? BigDecimal.valueOf(whole) : decimal;
    }

    /** The number in plain JSON, without an exponent. */
    public byte[] json() {
        return JsonText.ascii(toString());
    }

    @Override
    public String toString() {
        return decimal == null ? Long.toString(whole) : decimal.toPlainString();
    }
}
