/**
 * Fills records from YAML, environment variables and command line flags, and says everything that is wrong with them at
 * once; knows no component. Runs on the main thread while the gateway starts; the records are immutable.
 */
@NullMarked
package io.barrage.gateway.config;

import org.jspecify.annotations.NullMarked;
