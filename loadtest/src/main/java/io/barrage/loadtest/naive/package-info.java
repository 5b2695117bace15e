/**
 * The baseline: the gateway that Netty's tutorials lead to, kept naive on purpose. On its own event loops.
 */
@NullMarked
package io.barrage.loadtest.naive;

import org.jspecify.annotations.NullMarked;
