/**
 * What operators see: the components' counters as Prometheus metrics, through Micrometer.
 *
 * <p>Called from any thread. Metrics never steer.
 */
@NullMarked
package io.barrage.gateway.metrics;

import org.jspecify.annotations.NullMarked;
