// A page as an application would write it, for BrowserRoomsIT; runs with what its test gives it.
const { gateway, tokens, topicTokens, topics } = arguments[0];
document.body.replaceChildren(document.createElement("ol"));
const screen = document.querySelector("ol");

/** What was told besides messages, as "type detail detail". */
window.events = [];
/** Per topic: offsets in the order in which they came. */
window.offsets = {};
window.handles = {};

const note = (...words) => window.events.push(words.filter((word) => word !== undefined && word !== "").join(" "));

function show({ topic, epoch, offset, sender, data }) {
  (window.offsets[topic] ??= []).push(offset);
  const line = screen.appendChild(document.createElement("li"));
  line.id = `${topic}@${epoch}:${offset}`;
  line.textContent = `${sender ?? ""}> ${typeof data === "string" ? data : JSON.stringify(data)}`;
}

window.lines = () => [...screen.children].map((line) => line.textContent);

async function fetchToken(address) {
  const answer = await fetch(address);
  return answer.ok ? answer.text() : null;
}

import(`${gateway}/client/barrage.js`).then(({ Barrage }) => {
  const barrage = new Barrage(`${gateway}/ws`, {
    token: () => fetchToken(tokens),
    hiddenAttention: "full", // a tab in the background shall hear everything
    backoff: { baseMs: 50, capMs: 400 },
  });
  window.barrage = barrage;
  for (const state of ["connected", "waiting", "closed"]) {
    barrage.addEventListener(state, ({ detail }) => note(state, detail.user, detail.code));
  }
  barrage.addEventListener("error", ({ detail }) => note("error", detail.code, detail.message));
  barrage.addEventListener("joined", ({ detail }) => note("joined", detail.topic));
  barrage.addEventListener("message", ({ detail }) => note("pushed", detail.topic, JSON.stringify(detail.data)));
  barrage.addEventListener("unsubscribed", ({ detail }) => note("put off", detail.topic, detail.code));
  for (const topic of topics) {
    window.handles[topic] = barrage.subscribe(topic, {
      token: topicTokens && (() => fetchToken(topicTokens)),
      onMessage: show,
      onRetract: ({ epoch, offsets }) =>
        offsets.forEach((offset) => document.getElementById(`${topic}@${epoch}:${offset}`)?.remove()),
      onSubscribed: ({ recovered }) => note("subscribed", topic, recovered),
      onLost: ({ count }) => note("lost", topic, count),
      onGap: ({ from, to, reason }) => note("gap", topic, `${from}-${to}`, reason),
      onError: ({ code, message }) => note("refused", topic, code, message),
      onUnsubscribed: ({ code }) => note("unsubscribed", topic, code),
      onJoin: ({ user }) => note("join", topic, user),
      onLeave: ({ user }) => note("leave", topic, user),
    });
  }
  barrage.connect();
});
