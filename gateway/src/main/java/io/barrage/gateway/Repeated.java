package io.barrage.gateway;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a timer does again and again. When it fails by a bug that is logged, and it is done again all the same: a bare timer would
 * end it without a word.
 *
 * <p>Confined to the timer's thread.
 */
final class Repeated implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(Repeated.class);

    private final String what;
    private final Runnable step;
    private boolean hasFailed;

    /** @param what completes the log's line: {@code telling counts} */
    Repeated(String what, Runnable step) {
        this.what = what;
        this.step = step;
    }

    @Override
    public void run() {
        try {
            step.run();
        } catch (RuntimeException e) {
            // Once, since it may be every time.
            if (!hasFailed) {
                hasFailed = true;
                log.error("Something that is done again and again failed by a bug of ours. what={}", what, e);
            }
        }
    }
}
