/**
 * The clients' door: upgrade, WebSocket connections, heartbeats; one more transport is one more connection class.
 * Everything here is confined to the event loop of its connection.
 */
@NullMarked
package io.barrage.gateway.clients;

import org.jspecify.annotations.NullMarked;
