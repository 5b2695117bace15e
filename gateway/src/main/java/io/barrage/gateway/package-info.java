/** Placeholder. */
@NullMarked
package io.barrage.gateway;

import org.jspecify.annotations.NullMarked;
