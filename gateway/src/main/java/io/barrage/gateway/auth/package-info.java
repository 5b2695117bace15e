/**
 * Who may connect, subscribe, publish and control.
 * Immutable and thread-safe; asked from every event loop.
 */
@NullMarked
package io.barrage.gateway.auth;

import org.jspecify.annotations.NullMarked;
