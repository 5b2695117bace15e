/**
 * Counts what the components tell their listeners, and shows it to Prometheus.
 * Counters are written by the event loops and read by the one that answers the scrape.
 */
@NullMarked
package io.barrage.gateway.metrics;

import org.jspecify.annotations.NullMarked;
