/**
 * The load: subscribers, publishers and the two ways to drive them, {@code replay} and {@code fanout}. Everything that
 * touches a socket is confined to its event loop; a run's caller waits on its own thread.
 */
@NullMarked
package io.barrage.loadtest.load;

import org.jspecify.annotations.NullMarked;
