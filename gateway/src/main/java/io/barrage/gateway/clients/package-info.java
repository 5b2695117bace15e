/**
 * The clients' door: WebSocket upgrade and connections, the browser client's file, and in development the live demo.
 *
 * <p>Everything is confined to its channel's event loop, except where a class says otherwise.
 */
@NullMarked
package io.barrage.gateway.clients;

import org.jspecify.annotations.NullMarked;
