package io.barrage.gateway;

import io.barrage.gateway.auth.ApiKeyConfig;
import io.barrage.gateway.auth.ApiKeys;
import io.barrage.gateway.auth.Scope;
import io.barrage.gateway.config.ConfigException;
import io.barrage.gateway.config.ConfigReader;
import io.barrage.gateway.hooks.Hooks;
import io.barrage.gateway.net.ListenException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line. Confined to the main thread.
 *
 * <p>Exit codes: 0 fine, 1 failed, 2 the command line or the configuration is wrong.
 */
@Command(name = "barrage", description = "A push gateway: publish over HTTP, subscribe over WebSocket.")
public final class Main {

    private static final int FAILED = CommandLine.ExitCode.SOFTWARE;
    private static final int WRONG_USE = CommandLine.ExitCode.USAGE;

    private Main() {}

    /** Runs the gateway until it has stopped. */
    interface Server {
        /**
         * Runs it.
         *
         * @param source where the configuration comes from; null if nothing of it can change
         */
        void serve(GatewayConfig config, @Nullable ConfigSource source) throws InterruptedException;
    }

    /** The process. */
    public static void main(String[] args) {
        System.exit(commandLine(System.getenv(), Path.of(""), Main::serve).execute(args));
    }

    private static void serve(GatewayConfig config, @Nullable ConfigSource source) throws InterruptedException {
        CompletableFuture<Gateway> started = new CompletableFuture<>();
        CompletableFuture<Reload> reload = new CompletableFuture<>();
        // Before the doors open: who sees them open may send a signal at once.
        drainOnSignal(started);
        if (source != null) {
            HangUp.handle(() -> reload.thenAccept(Reload::request));
        }
        Gateway gateway;
        try {
            Hooks.prepareProcess();
            gateway = Gateway.start(config);
        } catch (Throwable e) {
            // An error, too: the process can't end as long as a signal's thread waits for this.
            started.completeExceptionally(e);
            throw e;
        }
        started.complete(gateway);
        if (source != null) {
            reload.complete(Reload.start(source, gateway));
        }
        try {
            gateway.awaitClosed();
        } finally {
            reload.thenAccept(Reload::close);
            gateway.close();
        }
    }

    /**
     * Lets SIGTERM and SIGINT drain the gateway. The JVM would then exit with 143 or 130, which supervisors take for a failure;
     * an orderly end is 0.
     *
     * @param started fails if it can't be started; the process ends by itself then
     */
    private static void drainOnSignal(CompletableFuture<Gateway> started) {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            Gateway gateway =
                                    started.exceptionally(failure -> null).join();
                            if (gateway == null || gateway.isClosed()) {
                                return;
                            }
                            try {
                                gateway.drainAndAwait();
                                Runtime.getRuntime().halt(0);
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        },
                        "barrage-signal"));
    }

    /** The version of the jar that this runs from. */
    static String versionText() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(not from a jar)" : version;
    }

    /** All commands, ready to be executed in the given surroundings. */
    static CommandLine commandLine(Map<String, String> environment, Path workingDirectory, Server server) {
        CommandLine check = new CommandLine(new Check(new ConfigFlags(environment, workingDirectory)));
        CommandLine print = new CommandLine(new Print(new ConfigFlags(environment, workingDirectory)));
        CommandLine serve = new CommandLine(new Serve(new ConfigFlags(environment, workingDirectory), server));
        CommandLine token = TokenCommand.of(
                new ConfigFlags(environment, workingDirectory),
                new ConfigFlags(environment, workingDirectory),
                System.in);
        CommandLine config = new CommandLine(new Config())
                .addSubcommand("check", check)
                .addSubcommand("print", print)
                .addSubcommand("schema", new CommandLine(new JsonSchema()));
        CommandLine all = new CommandLine(new Main())
                .addSubcommand("serve", serve)
                .addSubcommand("config", config)
                .addSubcommand("token", token)
                .addSubcommand("key", new CommandLine(new Key()))
                .addSubcommand("version", new CommandLine(new Version()));
        for (CommandLine configured : List.of(check, print, serve)) {
            ConfigFlags.declare(configured.getCommandSpec());
        }
        addHelp(all);
        return all.setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(Main::report);
    }

    private static void addHelp(CommandLine command) {
        command.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Shows this.")
                        .build());
        command.getSubcommands().values().forEach(Main::addHelp);
    }

    /** Mistakes of the operator are told in plain words; everything else is a bug and shows where. */
    private static int report(Exception e, CommandLine command, CommandLine.ParseResult parsed) throws Exception {
        if (e instanceof ConfigException wrong) {
            wrong.errors().forEach(command.getErr()::println);
            return WRONG_USE;
        }
        if (e instanceof ListenException unavailable) {
            command.getErr().println(unavailable.getMessage());
            return FAILED;
        }
        throw e;
    }

    @Command(description = "Runs the gateway until it is told to stop (SIGTERM, Ctrl+C).")
    private static final class Serve implements Callable<Integer> {

        @Mixin
        private final ConfigFlags flags;

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        private final Server server;

        Serve(ConfigFlags flags, Server server) {
            this.flags = flags;
            this.server = server;
        }

        @Override
        public Integer call() throws ConfigException, InterruptedException {
            ConfigSource source = ConfigSource.of(flags.file(), (file, content) -> flags.load(command, file, content));
            GatewayConfig config = (source == null ? flags.load(command) : source.parse(source.atStart())).value();
            Logging.apply(config.log());
            if (config.profile() == Profile.DEVELOPMENT) {
                // Not in a constant: the other commands have no use for a logger and start without one.
                Logger log = LoggerFactory.getLogger(Main.class);
                log.warn(
                        "DEVELOPMENT PROFILE: anyone may connect, call themselves any user with ?user=, read every topic"
                                + " and publish to demo:* and hot:*. Don't open this to a network you don't trust: write a config file ({})"
                                + " with `auth:`",
                        ConfigFlags.DEFAULT_FILE);
            }
            server.serve(config, source);
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(description = "Checks or shows the configuration.")
    private static final class Config {}

    @Command(description = "Checks the configuration and lists everything that is wrong; exits with 1 then.")
    private static final class Check implements Callable<Integer> {

        @Mixin
        private final ConfigFlags flags;

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        Check(ConfigFlags flags) {
            this.flags = flags;
        }

        @Override
        public Integer call() {
            try {
                flags.load(command);
            } catch (ConfigException wrong) {
                wrong.errors().forEach(command.commandLine().getErr()::println);
                return FAILED;
            }
            Path file = flags.file();
            String what = file == null ? "No config file; what variables and flags say" : file.toString();
            command.commandLine().getOut().println(what + " is fine.");
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(description = "Shows the configuration in effect, and where each value that isn't the default comes from.")
    private static final class Print implements Callable<Integer> {

        @Mixin
        private final ConfigFlags flags;

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        Print(ConfigFlags flags) {
            this.flags = flags;
        }

        @Override
        public Integer call() throws ConfigException {
            command.commandLine().getOut().print(flags.load(command).print());
            command.commandLine().getOut().flush();
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(description = "Prints a JSON Schema of the configuration file, for editors.")
    private static final class JsonSchema implements Callable<Integer> {

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        @Override
        public Integer call() {
            command.commandLine().getOut().print(GatewayConfig.schema());
            command.commandLine().getOut().flush();
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(description = "Makes a new API key: shows it once, with what belongs into the configuration.")
    private static final class Key implements Callable<Integer> {

        @Option(
                names = "--name",
                paramLabel = "<name>",
                description = "Names the key in logs. Default: ${DEFAULT-VALUE}")
        private String name = "backend";

        @Option(
                names = "--scope",
                paramLabel = "<scope>",
                split = ",",
                description = "What it is good for: publish, read, control. Default: ${DEFAULT-VALUE}")
        private List<Scope> scopes = List.of(Scope.PUBLISH, Scope.READ);

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        @Override
        public Integer call() {
            String key = ApiKeys.generate();
            String list = scopes.stream()
                    .map(scope -> scope.name().toLowerCase(Locale.ROOT))
                    .distinct()
                    .collect(Collectors.joining(", "));
            String entry = "{name: \"" + name + "\", hash: \"" + ApiKeys.hash(key) + "\", scopes: [" + list + "]}";
            try {
                ConfigReader.parse(ApiKeyConfig.class, entry);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
            }
            command.commandLine().getOut().print("""
                    %s

                    # The key above is shown once and kept nowhere. The gateway needs only its hash:
                    backend:
                      keys:
                        - name: "%s"
                          hash: %s
                          scopes: [%s]
                    """.formatted(key, name, ApiKeys.hash(key), list));
            command.commandLine().getOut().flush();
            return CommandLine.ExitCode.OK;
        }
    }

    @Command(description = "Shows the version.")
    private static final class Version implements Callable<Integer> {

        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec command;

        @Override
        public Integer call() {
            command.commandLine().getOut().println("barrage " + versionText());
            return CommandLine.ExitCode.OK;
        }
    }
}
