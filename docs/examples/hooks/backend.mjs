// A backend that the gateway asks before clients may do something, with Node's standard library (Node 18 or newer):
//
//   BARRAGE_HOOKS_SECRET=whsec_... node docs/examples/hooks/backend.mjs
//
// BARRAGE_HOOKS_SECRET: the gateway's hooks.secret. PORT: 8090 if it isn't set.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { BARRAGE_HOOKS_SECRET, PORT = "8090" } = process.env;
const secret = Buffer.from(BARRAGE_HOOKS_SECRET.replace(/^whsec_/, ""), "base64");
const SESSIONS = new Map([["session-of-ann", "ann"], ["session-of-eve", "eve"]]);
const BANNED = ["eve"];

/** Whether a request is the gateway's, and not an old one that somebody plays again. */
function isTrusted(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const expected = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
  // Two, while secrets are changed.
  return signatures.split(" ").some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
    return signature.startsWith("v1,") && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const hooks = {
  connect({ token }) {
    if (!token) return { allow: true }; // anonymous: may watch
    const user = SESSIONS.get(token);
    if (!user) return { allow: false, code: 4401, reason: "this session has ended" };
    if (BANNED.includes(user)) return { allow: false, reason: "banned" };
    return { allow: true, user, join: ["room:lobby"] };
  },
  subscribe({ user, topic }) {
    return user || topic === "room:lobby" ? { allow: true } : { allow: false, reason: "sign in first" };
  },
  publish({ user, data }) {
    if (!user) return { allow: false, reason: "sign in first" };
    if (typeof data === "number") return { allow: true }; // likes
    const text = data?.text; // a client may send any JSON
    if (typeof text !== "string") return { allow: false, reason: "a message has a text" };
    if (/https?:/.test(text)) return { hold: true }; // a moderator publishes it, or doesn't
    if (/darn/i.test(text)) return { allow: true, data: { text: text.replace(/darn/gi, "d**n") } };
    return { allow: true };
  },
  events({ node, dropped = 0, events }) {
    for (const event of events) console.log(`${node}: ${JSON.stringify(event)}`);
    if (dropped) console.log(`${node}: ${dropped} events were lost`);
    return {};
  },
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    if (!isTrusted(request.headers, body)) return response.writeHead(401).end();
    try {
      const question = JSON.parse(body);
      const answer = JSON.stringify(hooks[question.type](question));
      response.writeHead(200, { "Content-Type": "application/json" }).end(answer);
    } catch (error) {
      // One question's mistake: the gateway does what `onFailure` says, and the others have their answers.
      console.error(error);
      response.writeHead(500).end();
    }
  });
});
// Longer than the gateway keeps an idle connection (4 s), so that none ends just when a question is on its way.
server.keepAliveTimeout = 10_000;
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
