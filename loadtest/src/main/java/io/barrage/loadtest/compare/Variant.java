package io.barrage.loadtest.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Barrage, started in another way than the comparison's options say, as one more gateway. Immutable.
 *
 * @param name what it is called in tables
 * @param java the Java that runs it; null for that of the others
 * @param jvmArguments what that is told besides what the others' is
 * @param gatewayArguments what Barrage is told, such as {@code --server.loops=2}: in place of what it is told of the same keys
 *     otherwise, and besides the rest
 */
public record Variant(String name, @Nullable String java, List<String> jvmArguments, List<String> gatewayArguments) {
    private static final Pattern FORM = Pattern.compile("([A-Za-z0-9._-]+)=(.*)");

    public Variant {
        jvmArguments = List.copyOf(jvmArguments);
        gatewayArguments = List.copyOf(gatewayArguments);
    }

    /**
     * Reads {@code NAME=ARGS}. Of the arguments, between spaces, those that begin with two dashes are Barrage's, those with one
     * dash or an at sign are the JVM's, and any other is the program of another Java.
     *
     * @throws IllegalArgumentException if it has no such form
     */
    public static Variant parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "variant '" + text + "' is not NAME=ARGS, with a name of letters, digits, . _ and -");
        }
        @Nullable String java = null;
        List<String> jvm = new ArrayList<>();
        List<String> gateway = new ArrayList<>();
        for (String argument : form.group(2).split(" +", -1)) {
            if (argument.startsWith("--")) {
                gateway.add(argument);
            } else if (argument.startsWith("-") || argument.startsWith("@")) {
                jvm.add(argument);
            } else if (!argument.isEmpty() && java == null) {
                java = argument;
            } else if (!argument.isEmpty()) {
                throw new IllegalArgumentException(
                        "variant '" + text + "' has two Javas: " + java + " and " + argument);
            }
        }
        return new Variant(form.group(1), java, jvm, gateway);
    }

    /** What Barrage is told, where the others are told {@code common}. */
    List<String> gatewayArguments(List<String> common) {
        List<String> keys = gatewayArguments.stream().map(Variant::withoutValue).toList();
        List<String> arguments = new ArrayList<>(common);
        arguments.removeIf(argument -> keys.contains(withoutValue(argument)));
        arguments.addAll(gatewayArguments);
        return arguments;
    }

    private static String withoutValue(String argument) {
        return argument.replaceFirst("=.*", "");
    }
}
