// Pushes the time to everybody, every second, with Node's own fetch (Node 18 or newer):
//
//   node docs/examples/clock/clock.mjs
//
// Watch it in clock.html beside this file. Ctrl+C ends it.
// GATEWAY_URL: the backend's listener. GATEWAY_KEY: an API key with the scope `publish`, where the gateway has keys.

import { setTimeout as sleep } from "node:timers/promises";

const { GATEWAY_URL = "http://127.0.0.1:8081", GATEWAY_KEY } = process.env;
const headers = { "Content-Type": "application/json" };
if (GATEWAY_KEY) headers.Authorization = `Bearer ${GATEWAY_KEY}`;

for (;;) {
  // On the second, whatever the publish before took: an interval would drift.
  await sleep(1000 - (Date.now() % 1000));
  const body = JSON.stringify({ topic: "clock", data: { now: new Date().toISOString() } });
  try {
    const answer = await fetch(`${GATEWAY_URL}/v1/publish`, {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.timeout(1000),
    });
    console.log(await answer.text());
  } catch (error) {
    // Not repeated: the next second brings a better message.
    console.log(`not published: ${error.cause?.message ?? error.message}`);
  }
}
