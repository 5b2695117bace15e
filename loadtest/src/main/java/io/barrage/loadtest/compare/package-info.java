/**
 * Interleaved runs of several gateways: starts and stops their processes, takes medians. On the main thread.
 */
@NullMarked
package io.barrage.loadtest.compare;

import org.jspecify.annotations.NullMarked;
