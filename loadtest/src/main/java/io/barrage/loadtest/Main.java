package io.barrage.loadtest;

import io.barrage.loadtest.load.LoadException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The load tool's command line. Exit codes: 0 fine, 1 loss or failure, 2 wrong usage, 3 a run that must not be used. */
@Command(
        name = "loadtest",
        description = "Makes load for push gateways and measures what comes out.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            ReplayCommand.class,
            FanoutCommand.class,
            ConnectCommand.class,
            ChurnCommand.class,
            RepliesCommand.class,
            SlowCommand.class,
            HotCommand.class,
            LikesCommand.class,
            EncodingsCommand.class,
            CompareCommand.class,
            ReportCommand.class,
            ServePeerCommand.class,
            ServeNaiveCommand.class
        })
public final class Main {
    static final int EXIT_LOSS = 1;
    static final int EXIT_INVALID = 3;

    Main() {}

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** What a run ends with: loss counts more than figures that must not be used. */
    static int exitCode(boolean clean, boolean valid) {
        return !clean ? EXIT_LOSS : valid ? 0 : EXIT_INVALID;
    }

    /** The command line, for {@link #main} and for tests. */
    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .registerConverter(java.time.Duration.class, Durations::parse)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    if (failure instanceof LoadException
                            || failure instanceof IOException
                            || failure instanceof IllegalArgumentException) {
                        commandLine.getErr().println("loadtest: " + said(failure));
                    } else {
                        failure.printStackTrace(commandLine.getErr());
                    }
                    return failure instanceof IllegalArgumentException ? CommandLine.ExitCode.USAGE : EXIT_LOSS;
                });
    }

    /** A file's exception may say no more than its name. */
    private static String said(Exception failure) {
        if (!(failure instanceof FileSystemException file) || file.getReason() != null) {
            return String.valueOf(failure.getMessage());
        }
        String kind = file instanceof NoSuchFileException
                ? "no such file or folder"
                : file instanceof AccessDeniedException
                        ? "access denied"
                        : file.getClass().getSimpleName();
        return file.getMessage() + ": " + kind;
    }

    /** Reads the version from the jar. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            @Nullable String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"loadtest " + (version == null ? "unpackaged" : version)};
        }
    }
}
