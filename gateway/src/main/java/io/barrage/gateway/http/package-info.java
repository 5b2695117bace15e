/**
 * What both doors share of HTTP.
 * Handlers are confined to the event loop of their connection.
 */
@NullMarked
package io.barrage.gateway.http;

import org.jspecify.annotations.NullMarked;
