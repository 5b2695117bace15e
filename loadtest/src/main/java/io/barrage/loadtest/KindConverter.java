package io.barrage.loadtest;

import io.barrage.loadtest.target.TargetKind;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.ITypeConverter;

/** Reads a gateway's kind by its label. Thread-safe: no state. */
final class KindConverter implements ITypeConverter<TargetKind>, Iterable<String> {
    @Override
    public TargetKind convert(String label) {
        return Arrays.stream(TargetKind.values())
                .filter(kind -> kind.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + label + "' is not one of " + labels()));
    }

    @Override
    public Iterator<String> iterator() {
        return labels().iterator();
    }

    private static List<String> labels() {
        return Arrays.stream(TargetKind.values()).map(TargetKind::label).toList();
    }
}
