package io.barrage.gateway;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** SIGHUP, by which operators tell a process to read its configuration anew. Stateless. */
final class HangUp {
    private static final Logger log = LoggerFactory.getLogger(HangUp.class);

    private HangUp() {}

    /**
     * Runs {@code action}, which must return at once, with each SIGHUP from now on; without a handler the signal ends a process.
     * Where there is no such signal (Windows), nothing happens.
     */
    static void handle(Runnable action) {
        try {
            // In every JDK (module jdk.unsupported), but javac warns of its name, and that can't be suppressed.
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object run = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getDeclaringClass() == Object.class) {
                            return method.invoke(action, arguments);
                        }
                        action.run();
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), run);
        } catch (InvocationTargetException e) {
            log.debug("There is no SIGHUP here. cause={}", String.valueOf(e.getCause()));
        } catch (ReflectiveOperationException e) {
            log.debug("This JVM hands on no signals. cause={}", e.toString());
        }
    }
}
