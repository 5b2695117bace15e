/** Placeholder. */
@NullMarked
package io.barrage.protocol;

import org.jspecify.annotations.NullMarked;
