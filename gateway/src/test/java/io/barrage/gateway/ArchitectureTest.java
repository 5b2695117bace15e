package io.barrage.gateway;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.barrage.gateway.config.ByteSize;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Rate;
import io.barrage.gateway.config.Setting;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which package may know which: whoever reads one package needs to read only those that it may know. */
class ArchitectureTest {

    private static final String ROOT = "io.barrage.gateway";

    /** Each package with those of ours that it may depend on; {@code protocol} is free for all but these two at the end. */
    private static final Map<String, Set<String>> ALLOWED = Map.ofEntries(
            Map.entry("clients", Set.of("hub", "broker", "auth", "http", "hooks")),
            Map.entry("backend", Set.of("hub", "broker", "auth", "http")),
            Map.entry("hub", Set.of("broker")),
            Map.entry("broker", Set.of()),
            Map.entry("broker.redis", Set.of("broker")),
            Map.entry("auth", Set.of()),
            Map.entry("http", Set.of()),
            Map.entry("hooks", Set.of("broker", "auth")),
            Map.entry("metrics", Set.of("http", "clients", "backend", "hub", "broker", "hooks")),
            Map.entry("net", Set.of()),
            Map.entry("config", Set.of()));

    private static final Set<String> WITHOUT_PROTOCOL = Set.of("net", "config");

    /** What a component's record may have, and hand on. */
    private static final Set<String> VALUES = Set.of(ByteSize.class.getName(), Rate.class.getName());

    /** What a component's record is described with. */
    private static final Set<String> FOR_RECORDS =
            Set.of(Setting.class.getName(), Checked.class.getName(), Contradictions.class.getName());

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.barrage");

    @Test
    void packagesKnowOnlyThoseBelow() {
        Set<String> violations = new TreeSet<>();
        dependencies().forEach(dependency -> {
            String from = component(dependency.getOriginClass());
            String to = component(dependency.getTargetClass());
            if (!from.equals(to) && !isAllowed(dependency, from, to)) {
                violations.add(dependency.getDescription());
            }
        });
        assertEquals(Set.of(), violations);
    }

    /** Dependencies from our components to anything of ours. */
    private static Stream<Dependency> dependencies() {
        return CLASSES.stream()
                .filter(type -> type.getPackageName().startsWith(ROOT + "."))
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .filter(dependency ->
                        dependency.getTargetClass().getPackageName().startsWith("io.barrage."));
    }

    /** The entry of {@link #ALLOWED} that a class belongs to; {@code protocol}, or {@code root} for what is above all. */
    private static String component(JavaClass type) {
        String packageName = type.getPackageName();
        if (packageName.startsWith("io.barrage.protocol")) {
            return "protocol";
        }
        if (packageName.startsWith("io.barrage.client")) {
            return "client";
        }
        if (packageName.equals(ROOT)) {
            return "root";
        }
        String path = packageName.substring(ROOT.length() + 1);
        return ALLOWED.containsKey(path) || path.indexOf('.') < 0 ? path : path.substring(0, path.indexOf('.'));
    }

    private static boolean isAllowed(Dependency dependency, String from, String to) {
        JavaClass target = dependency.getTargetClass();
        if (to.equals("protocol")) {
            return !WITHOUT_PROTOCOL.contains(from);
        }
        if (to.equals("config")) {
            // Values travel with the records; the rest of the package is for records only.
            boolean inRecord = dependency.getOriginClass().getSimpleName().endsWith("Config");
            return VALUES.contains(target.getName()) || (inRecord && FOR_RECORDS.contains(target.getName()));
        }
        if (from.equals("metrics") && !to.equals("http")) {
            // What the others tell, not what they are: their listeners, and the values that those are called with.
            return ALLOWED.get(from).contains(to) && (target.isInterface() || target.isEnum() || target.isRecord());
        }
        return ALLOWED.getOrDefault(from, Set.of()).contains(to);
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void everyPackageHasARule() {
        Set<String> known = new TreeSet<>(ALLOWED.keySet());
        known.add("root");
        CLASSES.stream()
                .filter(type -> type.getPackageName().startsWith(ROOT))
                .forEach(type -> assertEquals(true, known.contains(component(type)), "no rule for " + type.getName()));
    }

    /** The Java client is for backends: nothing of the gateway uses it, and it carries nothing but the wire's types along. */
    @Test
    void clientKnowsTheWireAlone() {
        classes()
                .that()
                .resideInAPackage("io.barrage.client..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "io.barrage.client..",
                        "io.barrage.protocol..",
                        "java..",
                        "javax.net.ssl..",
                        "tools.jackson..",
                        "org.jspecify..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackage("io.barrage.client..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.barrage.client..")
                .check(CLASSES);
    }

    @Test
    void hubKnowsNeitherChannelsNorHttp() {
        noClasses()
                .that()
                .resideInAnyPackage(ROOT + ".hub..", ROOT + ".broker..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty.channel..", "io.netty.handler..", "io.netty.bootstrap..")
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    @Test
    void onlyTheRedisBrokerKnowsLettuce() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".broker.redis..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.lettuce..")
                .check(CLASSES);
    }

    /** The rules above would hold, too, if nothing was found. */
    @Test
    void seesDependencies() {
        List<String> seen = dependencies()
                .map(dependency ->
                        component(dependency.getOriginClass()) + " -> " + component(dependency.getTargetClass()))
                .distinct()
                .toList();
        assertEquals(true, seen.contains("backend -> auth"), seen.toString());
        assertEquals(true, seen.contains("clients -> config"), seen.toString());
    }
}
