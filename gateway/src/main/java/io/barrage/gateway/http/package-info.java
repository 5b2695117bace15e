/**
 * What both doors share of HTTP/1.1: one request at a time per connection, its limits and timeouts, answers and problem
 * documents.
 *
 * <p>Confined to the channel's event loop, all of it.
 */
@NullMarked
package io.barrage.gateway.http;

import org.jspecify.annotations.NullMarked;
