/**
 * What the tests share: programs of the machine, a browser, the gateway as a process.
 *
 * <p>Used from the tests' own threads.
 */
package io.barrage.gateway.testkit;
