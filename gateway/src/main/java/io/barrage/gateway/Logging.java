package io.barrage.gateway;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.slf4j.LoggerFactory;

/**
 * Sets up logback: one line per event on standard output. Used on the main thread.
 *
 * <p>In code, because reading logback's XML would be a good part of the start. Logback finds this class as a service; the
 * system property {@code logback.configurationFile} still hands everything over to a file of one's own.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_NORMAL_PRIORITY)
public final class Logging extends ContextAwareBase implements Configurator {

    private static final String FILE_PROPERTY = "logback.configurationFile";

    /** Key-value pairs of the event follow the sentence; without any, no space is left behind. */
    private static final String PATTERN =
            "%d{HH:mm:ss.SSS} %-5level %logger{0} - %msg%replace( %kvp{NONE}){'^ $', ''}%n%ex";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        if (System.getProperty(FILE_PROPERTY) != null) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        setUp(context, LogConfig.Level.INFO, LogConfig.Format.TEXT);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /** Applies the configuration to everything that is logged from now on. */
    static void apply(LogConfig config) {
        if (System.getProperty(FILE_PROPERTY) == null
                && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            setUp(context, config.level(), config.format());
        }
    }

    private static void setUp(LoggerContext context, LogConfig.Level level, LogConfig.Format format) {
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setName("console");
        console.setEncoder(format == LogConfig.Format.JSON ? json(context) : text(context));
        console.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        // Ours alone: a reload must not take away what somebody else has added. First the new one, so that no line is
        // lost.
        Appender<ILoggingEvent> before = root.getAppender(console.getName());
        root.addAppender(console);
        if (before != null) {
            root.detachAppender(before);
            before.stop();
        }
        Level least = Level.toLevel(level.name());
        root.setLevel(least);
        // At INFO and DEBUG Netty describes itself, not what goes on.
        context.getLogger("io.netty").setLevel(least.isGreaterOrEqual(Level.WARN) ? least : Level.WARN);
    }

    private static Encoder<ILoggingEvent> text(LoggerContext context) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(PATTERN);
        encoder.start();
        return encoder;
    }

    private static Encoder<ILoggingEvent> json(LoggerContext context) {
        JsonEncoder encoder = new JsonEncoder();
        encoder.setContext(context);
        // What a person would have read, instead of its pattern and arguments, and nothing about logback itself.
        encoder.setWithFormattedMessage(true);
        encoder.setWithMessage(false);
        encoder.setWithArguments(false);
        encoder.setWithContext(false);
        encoder.setWithSequenceNumber(false);
        encoder.setWithNanoseconds(false);
        encoder.start();
        return encoder;
    }
}
