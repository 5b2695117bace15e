package io.barrage.gateway.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a key of the configuration means: stands on a component of a record, whose name is the key.
 *
 * <p>The reference in the docs, {@code --help} and every error message are made from it.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Setting {

    /**
     * The default, written as in the file. Empty: a nested record has its own defaults, a list is empty, a component
     * marked {@code @Nullable} is null, and any other key must be given.
     */
    String value() default "";

    /** Meaning and, where it isn't obvious, when to change it; Markdown, a sentence or two. */
    String doc();

    /** The least allowed value, written as in the file. */
    String min() default "";

    /** The greatest allowed value, written as in the file. */
    String max() default "";

    /** What to tell somebody whose value doesn't fit, beyond what was expected. */
    String hint() default "";

    /**
     * For a nested record: a word that may stand in place of its keys. It means the record's constant of that name in capitals.
     * For anything else: empty.
     */
    String word() default "";

    /** For a list of words: whether a single one may stand without brackets. */
    boolean single() default false;

    /** Whether the value must never be printed. */
    boolean secret() default false;

    /** Whether a change takes effect with the next start only; on a nested record, for all of it. */
    boolean restart() default false;

    /** What the value looks like, as a regular expression for editors; the record's own check says it in words. */
    String pattern() default "";
}
