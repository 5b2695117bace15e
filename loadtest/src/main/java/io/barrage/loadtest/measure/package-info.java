/**
 * The gauges: latency summaries, CPU time and memory of processes, the machine. Read from the thread that drives a run.
 */
@NullMarked
package io.barrage.loadtest.measure;

import org.jspecify.annotations.NullMarked;
