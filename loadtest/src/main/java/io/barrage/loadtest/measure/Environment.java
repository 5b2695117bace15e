package io.barrage.loadtest.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where a figure was measured; a figure without it says nothing. Immutable.
 *
 * @param jdk the generator's JDK
 * @param kernel the operating system and its version
 * @param cpu the processor's name
 * @param cores how many processors the generator and the servers share
 * @param memoryMiB the machine's memory
 * @param transport what the generator's sockets run on
 * @param loadtest the version of this tool
 */
public record Environment(
        String jdk, String kernel, String cpu, int cores, long memoryMiB, String transport, String loadtest) {

    /** Looks at this machine. */
    public static Environment here(String transport) {
        String version = Environment.class.getPackage().getImplementationVersion();
        return new Environment(
                System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                field("/proc/cpuinfo", "model name"),
                Runtime.getRuntime().availableProcessors(),
                memoryMiB(field("/proc/meminfo", "MemTotal")),
                transport,
                version == null ? "unpackaged" : version);
    }

    /** One line for a person. */
    public String inWords() {
        return cores + " x " + cpu + ", " + memoryMiB + " MiB, " + kernel + ", " + jdk + ", " + transport
                + ", loadtest " + loadtest;
    }

    private static long memoryMiB(String total) {
        String digits = total.replaceAll("[^0-9]", "");
        return digits.isEmpty() ? 0 : Long.parseLong(digits) / 1024;
    }

    private static String field(String file, String name) {
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of(file));
        } catch (IOException ignored) {
            return "unknown"; // not Linux
        }
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }
}
