/**
 * Opens ports on event loops and knows none of the rest.
 * Starts and stops on the main thread; what runs in between is confined to the acceptor's event loop.
 */
@NullMarked
package io.barrage.gateway.net;

import org.jspecify.annotations.NullMarked;
