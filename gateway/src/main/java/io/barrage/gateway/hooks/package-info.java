/**
 * Asks the backend before clients may do something, and tells it what has happened: HTTP calls that are signed, bounded and
 * asynchronous.
 *
 * <p>Thread-safe: asked on event loops, which it never blocks; answers come on its own few threads.
 */
@NullMarked
package io.barrage.gateway.hooks;

import org.jspecify.annotations.NullMarked;
