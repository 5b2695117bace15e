package io.barrage.gateway.config;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a configuration that is in effect when it is read anew: the new values, but the old ones of keys that a running
 * process can't change ({@link Setting#restart}). Immutable.
 *
 * @param value what is to be in effect
 * @param needRestart the keys whose new values wait for a restart, as paths; of a list the list's
 * @param changed the other keys whose values differ
 */
public record Reloaded<T extends Record>(T value, List<String> needRestart, List<String> changed) {

    /**
     * Puts the new values in place of the old ones.
     *
     * @throws ConfigException if they contradict old values that have to stay
     */
    public static <T extends Record> Reloaded<T> of(Class<T> type, T old, T fresh) throws ConfigException {
        List<String> needRestart = new ArrayList<>();
        List<String> changed = new ArrayList<>();
        Object merged = merged(Schema.of(type), "", false, old, fresh, needRestart, changed);
        T value = type.cast(merged);
        if (!needRestart.isEmpty() && value instanceof Checked checked) {
            Contradictions found = new Contradictions();
            checked.check(found);
            if (!found.all().isEmpty()) {
                throw new ConfigException(found.all().stream()
                        .map(one -> one.keys().get(0) + ": " + one.sentence() + " (until a restart, the old values of "
                                + String.join(", ", needRestart) + " are in effect)")
                        .toList());
            }
        }
        return new Reloaded<>(value, List.copyOf(needRestart), List.copyOf(changed));
    }

    private static Record merged(
            Schema schema,
            String prefix,
            boolean restart,
            Record old,
            Record fresh,
            List<String> needRestart,
            List<String> changed) {
        List<@Nullable Object> values = new ArrayList<>();
        for (Schema.Key key : schema.keys()) {
            String path = prefix + key.name();
            Object before = key.valueIn(old);
            Object now = key.valueIn(fresh);
            boolean stays = restart || key.setting().restart();
            if (key.shape() instanceof Schema.Nested nested && before instanceof Record a && now instanceof Record b) {
                values.add(merged(nested.schema(), path + ".", stays, a, b, needRestart, changed));
            } else if (Objects.equals(before, now)) {
                values.add(now);
            } else {
                (stays ? needRestart : changed).add(path);
                values.add(stays ? before : now);
            }
        }
        try {
            return schema.construct(values.toArray());
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("each of them was made of such values before: " + prefix, e.getCause());
        }
    }
}
