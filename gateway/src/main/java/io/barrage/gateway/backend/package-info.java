/**
 * The backend's door: publish and control over HTTP, a class per endpoint.
 * Handlers are confined to the event loop of their connection.
 */
@NullMarked
package io.barrage.gateway.backend;

import org.jspecify.annotations.NullMarked;
