/**
 * The Java client for backends: publishes to a gateway's backend listener, and repeats what is safe to repeat.
 *
 * <p>{@link io.barrage.client.BarrageClient} is the door; the rest are values that go in and come out. Everything public here may
 * be used from any thread.
 */
@NullMarked
package io.barrage.client;

import org.jspecify.annotations.NullMarked;
