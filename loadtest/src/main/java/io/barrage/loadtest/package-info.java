/**
 * The measuring instrument: the commands of the load tool, one class each. They run on the main thread, which only waits,
 * prints and sums up; load is made on the event loops of {@link io.barrage.loadtest.load}.
 */
@NullMarked
package io.barrage.loadtest;

import org.jspecify.annotations.NullMarked;
