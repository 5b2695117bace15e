/**
 * What is on the wire: names, messages, the frames of {@code barrage.v1}, close codes and errors, as values and as
 * functions over bytes.
 *
 * <p>No sockets, no threads, no configuration: everything here is immutable or stateless and may be called from anywhere.
 */
@NullMarked
package io.barrage.protocol;

import org.jspecify.annotations.NullMarked;
