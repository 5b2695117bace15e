/**
 * What carries published messages to the hub of every node: gives each topic its order, remembers message ids, counts who is
 * there.
 *
 * <p>Called from any thread, mostly from event loops; calls its listeners on the publisher's thread.
 */
@NullMarked
package io.barrage.gateway.broker;

import org.jspecify.annotations.NullMarked;
