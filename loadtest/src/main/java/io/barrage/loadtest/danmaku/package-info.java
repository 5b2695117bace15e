/**
 * Danmaku files: timed comments in the XML format that Bilibili exports. Plain values and functions, on any thread.
 */
@NullMarked
package io.barrage.loadtest.danmaku;

import org.jspecify.annotations.NullMarked;
