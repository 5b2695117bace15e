/**
 * The gateway as a whole: command line, configuration, building everything and stopping it in reverse. Runs on the main
 * thread; what serves clients lives in the packages below, on event loops.
 */
@NullMarked
package io.barrage.gateway;

import org.jspecify.annotations.NullMarked;
