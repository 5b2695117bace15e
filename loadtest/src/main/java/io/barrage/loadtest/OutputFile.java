package io.barrage.loadtest;

import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the name of a file to write, and refuses at once what only the end of a run would find out. Thread-safe: no state. */
final class OutputFile implements ITypeConverter<Path> {
    @Override
    public Path convert(String name) {
        Path file = Path.of(name);
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new TypeConversionException("there is no folder " + folder);
        }
        if (Files.isDirectory(file)) {
            throw new TypeConversionException("'" + name + "' is a folder");
        }
        return file;
    }
}
