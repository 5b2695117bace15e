/** Placeholder. */
@NullMarked
package io.barrage.loadtest;

import org.jspecify.annotations.NullMarked;
