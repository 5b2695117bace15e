// Publishes one message with Node's own fetch (Node 18 or newer):
//
//   node docs/examples/publish/publish.mjs demo:hello "hello from Node"
//
// GATEWAY_URL: the backend's listener. GATEWAY_KEY: an API key with the scope `publish`, where the gateway has keys.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { GATEWAY_URL = "http://127.0.0.1:8081", GATEWAY_KEY } = process.env;

/** Gives the message's place: { topic, epoch, offset }. */
export async function publish(topic, data, attempts = 4) {
  const headers = { "Content-Type": "application/json" };
  if (GATEWAY_KEY) headers.Authorization = `Bearer ${GATEWAY_KEY}`;
  // One id for all attempts: no answer doesn't mean that the message wasn't published, and a repeat of one that was
  // gets the first one's answer.
  const body = JSON.stringify({ topic, messageId: randomUUID(), data });
  for (let attempt = 1; ; attempt++) {
    try {
      const signal = AbortSignal.timeout(10_000);
      const answer = await fetch(`${GATEWAY_URL}/v1/publish`, { method: "POST", headers, body, signal });
      if (answer.ok) return await answer.json();
      // The gateway's words, or a page of a proxy between.
      const words = await answer.text();
      throw Object.assign(new Error(`${answer.status} ${answer.statusText}: ${words}`), { status: answer.status });
    } catch (error) {
      // Without a status there was no answer, and 503 is "not now"; what else is refused would be refused again.
      const again = error.status === undefined || error.status === 503;
      if (!again || attempt === attempts) throw error;
      await sleep(500 * 2 ** attempt); // 1, 2, 4 s: longer than a gateway takes to restart
    }
  }
}

const [, , topic = "demo:hello", text = "hello from Node"] = process.argv;
console.log(await publish(topic, { text }));
