/**
 * The adapters: what the instrument has to know of each gateway that it measures. Immutable values, on any thread.
 */
@NullMarked
package io.barrage.loadtest.target;

import org.jspecify.annotations.NullMarked;
