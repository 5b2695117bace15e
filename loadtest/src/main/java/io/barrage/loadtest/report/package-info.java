/**
 * Draws results: from the JSON that the commands write to a page that needs nothing else, and to plots. Immutable values and
 * functions, on any thread.
 */
@NullMarked
package io.barrage.loadtest.report;

import org.jspecify.annotations.NullMarked;
