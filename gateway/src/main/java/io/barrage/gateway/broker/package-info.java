/**
 * What carries published messages to every node and gives them their order, epoch and offset.
 * Thread-safe: a publisher's thread runs through it, under its topic's lock.
 */
@NullMarked
package io.barrage.gateway.broker;

import org.jspecify.annotations.NullMarked;
