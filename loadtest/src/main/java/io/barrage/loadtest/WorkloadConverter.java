package io.barrage.loadtest;

import io.barrage.loadtest.compare.Workload;
import java.util.Arrays;
import java.util.Iterator;
import picocli.CommandLine.ITypeConverter;

/** Reads a workload by its label. Thread-safe: no state. */
final class WorkloadConverter implements ITypeConverter<Workload>, Iterable<String> {
    @Override
    public Workload convert(String label) {
        return Workload.of(label);
    }

    @Override
    public Iterator<String> iterator() {
        return Arrays.stream(Workload.values()).map(Workload::label).iterator();
    }
}
