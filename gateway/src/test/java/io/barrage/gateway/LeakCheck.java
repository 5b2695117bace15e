package io.barrage.gateway;

import io.netty.buffer.Unpooled;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import io.netty.util.ResourceLeakTracker;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails each test class during which a buffer was lost without having been released. JUnit finds it as a service, so that no
 * class has to ask for it. Thread-safe.
 *
 * <p>Netty's leak detector follows each buffer, with where it was last touched, and tells when it was collected unreleased; a
 * collection is forced at the end of each class that had buffers.
 */
public final class LeakCheck implements BeforeAllCallback, AfterAllCallback {
    private static final long GC_TIMEOUT_NANOS = 20_000_000_000L;

    private static final Queue<String> LEAKS = new ConcurrentLinkedQueue<>();
    private static final List<ResourceLeakDetector<Object>> DETECTORS = new CopyOnWriteArrayList<>();
    private static final AtomicLong TRACKED = new AtomicLong();
    private static volatile String watched = "";

    private static long trackedBefore;

    static {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        // Buffers take their detector when their class is initialised: this must be before.
        ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(new CountingFactory());
        Unpooled.directBuffer(1).release();
        if (TRACKED.get() == 0) {
            throw new IllegalStateException("buffers were in use before their leaks could be watched");
        }
    }

    private static final class CountingFactory extends ResourceLeakDetectorFactory {
        @Override
        @SuppressWarnings("deprecation") // Of three ways to make one, Netty calls this.
        public <T> ResourceLeakDetector<T> newResourceLeakDetector(Class<T> type, int interval, long maxActive) {
            CountingDetector<T> detector = new CountingDetector<>(type, interval);
            @SuppressWarnings("unchecked") // It doesn't look at what it follows.
            ResourceLeakDetector<Object> ofAnything = (ResourceLeakDetector<Object>) detector;
            DETECTORS.add(ofAnything);
            return detector;
        }
    }

    private static final class CountingDetector<T> extends ResourceLeakDetector<T> {
        CountingDetector(Class<?> type, int interval) {
            super(type, interval);
        }

        @Override
        public ResourceLeakTracker<T> track(T resource) {
            TRACKED.incrementAndGet();
            return super.track(resource);
        }

        @Override
        protected void reportTracedLeak(String resourceType, String records) {
            LEAKS.add(resourceType + records);
        }

        @Override
        protected void reportUntracedLeak(String resourceType) {
            LEAKS.add(resourceType + ", last touched nobody knows where");
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        watched = context.getDisplayName();
        trackedBefore = TRACKED.get();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (TRACKED.get() != trackedBefore) {
            failOnLeaks();
        }
    }

    /** Throws if a buffer has been lost since the last call. */
    static void failOnLeaks() {
        List<String> leaks = leaks();
        if (!leaks.isEmpty()) {
            throw new AssertionError(leaks.size() + " kinds of buffers were lost, the first: " + leaks.get(0));
        }
    }

    private static List<String> leaks() {
        // What the first collection finds unreachable may hold more, by finalisers and references.
        collectGarbage();
        collectGarbage();
        for (ResourceLeakDetector<Object> detector : DETECTORS) {
            // Tells what it has found only when it is given something new.
            Object something = new Object();
            ResourceLeakTracker<Object> tracker = detector.trackForcibly(something);
            tracker.close(something);
        }
        List<String> leaks = new ArrayList<>();
        for (String leak = LEAKS.poll(); leak != null; leak = LEAKS.poll()) {
            leaks.add(leak);
        }
        return leaks;
    }

    private static void collectGarbage() {
        ReferenceQueue<Object> collected = new ReferenceQueue<>();
        PhantomReference<Object> garbage = new PhantomReference<>(new Object(), collected);
        long deadline = System.nanoTime() + GC_TIMEOUT_NANOS;
        try {
            do {
                System.gc();
            } while (collected.remove(100) == null && System.nanoTime() - deadline < 0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        garbage.clear();
    }

    /** The test class that is being watched. */
    static String watched() {
        return watched;
    }
}
