/**
 * The backend's door: publish, control, health and metrics over HTTP, a class per endpoint.
 *
 * <p>Everything is confined to its channel's event loop, except where a class says otherwise.
 */
@NullMarked
package io.barrage.gateway.backend;

import org.jspecify.annotations.NullMarked;
