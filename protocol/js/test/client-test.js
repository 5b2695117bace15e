import { Barrage } from "../barrage.js";
import { FakeClock, FakePage, equal, fakeWebSockets, rejection, run, settle, test } from "./harness.js";

const TOPIC = "room:42";
const URL_ = "ws://gateway.example/ws";

/** A client with everything around it in the test's hands. `random` is the test's to change; 0.5 unless it does. */
function setUp(options = {}) {
  const clock = new FakeClock();
  const page = new FakePage();
  const sockets = [];
  const world = { clock, page, sockets, random: 0.5, states: [] };
  world.client = new Barrage(URL_, {
    WebSocket: fakeWebSockets(sockets),
    timers: clock,
    window: page,
    random: () => world.random,
    ...options,
  });
  for (const state of ["connecting", "connected", "waiting", "closed"]) {
    world.client.addEventListener(state, ({ detail }) => world.states.push({ state, ...detail }));
  }
  Object.defineProperty(world, "socket", { get: () => sockets.at(-1) });
  return world;
}

/** ... and connected. */
function connected(options) {
  const world = setUp(options);
  world.client.connect();
  world.socket.welcome();
  return world;
}

/** Everything that a subscription tells, in order, as `[type, detail]`. */
function recorded(client, topic = TOPIC, options = {}) {
  const events = [];
  const subscription = client.subscribe(topic, options);
  for (const type of ["message", "subscribed", "lost", "gap", "error", "unsubscribed", "online", "value", "retract", "join", "leave"]) {
    subscription.addEventListener(type, ({ detail }) => events.push([type, detail]));
  }
  return {
    subscription,
    events,
    data: () => events.filter(([type]) => type === "message").map(([, message]) => message.data),
    of: (type) => events.filter(([t]) => t === type).map(([, detail]) => detail),
  };
}

/** The delays of so many attempts that fail in a row. */
async function failingDelays(world, count) {
  const delays = [];
  for (let i = 0; i < count; i++) {
    world.socket.drop(1006);
    const { delayMs } = world.states.at(-1);
    delays.push(delayMs);
    await world.clock.advance(delayMs);
  }
  return delays;
}

// --- connecting ---

test("offers the protocol and is connected with the welcome, not with the open socket", () => {
  const world = setUp();
  world.client.connect();
  equal(world.socket.url, URL_);
  equal(world.socket.protocols, ["barrage.v1"]);
  world.socket.readyState = 1;
  equal(world.client.state, "connecting");
  world.socket.welcome({ user: "u7" });
  equal(world.client.state, "connected");
  equal([world.client.user, world.client.connection], ["u7", "c1"]);
});

test("sends the token as a subprotocol, never in the address", () => {
  const world = setUp({ token: "aa.bb.cc" });
  world.client.connect();
  equal(world.socket.protocols, ["barrage.v1", "token.aa.bb.cc"]);
  equal(world.socket.url, URL_);
});

test("a token that can't be a subprotocol goes into the address", async () => {
  for (const token of ["a/b=", "session:42", "a,b", "a b", "ü"]) {
    const world = setUp({ token });
    world.client.connect();
    equal(world.client.state, "connecting", token);
    equal(world.socket.protocols, ["barrage.v1"]);
    equal(new URL(world.socket.url).searchParams.get("token"), token);
  }
});

test("keeps the address's query, adds batch, and turns http into ws", () => {
  const sockets = [];
  const client = new Barrage("https://gateway.example/ws?user=u7#here", { WebSocket: fakeWebSockets(sockets), batch: true });
  client.connect();
  equal(sockets[0].url, "wss://gateway.example/ws?user=u7&batch=1");
  client.close();
});

test("refuses an address with what belongs in calls", () => {
  let refused = 0;
  for (const url of [`${URL_}?topic=a`, `${URL_}?token=a`, "ftp://gateway.example/"]) {
    try {
      new Barrage(url, { WebSocket: class {} });
    } catch (error) {
      refused += error instanceof TypeError ? 1 : 0;
    }
  }
  equal(refused, 3);
});

test("gives up an attempt that hangs, and makes another", async () => {
  const world = setUp();
  world.client.connect();
  await world.clock.advance(14_999);
  equal(world.client.state, "connecting");
  await world.clock.advance(1);
  equal(world.client.state, "waiting");
  equal(world.sockets[0].closedWith, 1000);
  await world.clock.advance(500);
  equal(world.sockets.length, 2);
});

test("an option that is undefined is as good as none", async () => {
  const world = setUp({
    token: undefined,
    batch: undefined,
    hiddenAttention: undefined,
    hiddenAfterMs: undefined,
    backoff: { baseMs: undefined, capMs: undefined },
    connectTimeoutMs: undefined,
    requestTimeoutMs: undefined,
    pongTimeoutMs: undefined,
  });
  world.client.connect();
  equal(world.socket.url, URL_);
  await world.clock.advance(14_999);
  equal(world.client.state, "connecting");
  world.socket.drop();
  equal(world.states.at(-1).delayMs, 500);
  await world.clock.advance(500);
  world.socket.welcome();
  const published = rejection(world.client.publish(TOPIC, 1, { timeoutMs: undefined }));
  await world.clock.advance(9_999);
  world.client.close();
  equal(await published, "disconnected");
});

test("a time without end is one", async () => {
  const clock = new FakeClock();
  const longest = [];
  const timers = {
    now: clock.now,
    clearTimeout: clock.clearTimeout,
    setTimeout: (callback, ms) => {
      longest.push(ms);
      return clock.setTimeout(callback, ms);
    },
  };
  const world = connected({ timers, hiddenAfterMs: Infinity, requestTimeoutMs: Infinity, pongTimeoutMs: Infinity });
  world.page.show("hidden");
  world.client.publish(TOPIC, 1).catch(() => {});
  world.socket.receive({ type: "goaway", reconnectAfterMs: 1e12 });
  await clock.advance(25_000);
  equal([world.client.state, Math.max(...longest)], ["connected", 2 ** 31 - 1]);
});

test("frames of a socket that was given up are not heard", async () => {
  const world = connected();
  const { data } = recorded(world.client);
  const old = world.socket;
  old.subscribed(TOPIC);
  const { onmessage } = old;
  old.drop();
  onmessage({ data: '{"type":"message","topic":"room:42","offset":1,"data":1}' });
  equal(data(), []);
});

test("ready resolves with the welcome and rejects when closed", async () => {
  const world = setUp();
  equal(await rejection(world.client.ready()), "closed");
  world.client.connect();
  const ready = world.client.ready();
  world.socket.welcome();
  await ready;
  await world.client.ready();
  world.socket.drop();
  const never = rejection(world.client.ready());
  world.client.close();
  equal(await never, "closed");
});

test("close leaves no timer, no socket and no listener behind", async () => {
  const world = connected();
  recorded(world.client);
  const pending = rejection(world.client.publish(TOPIC, 1));
  world.client.close();
  equal(await pending, "disconnected");
  equal(world.socket.closedWith, 1000);
  equal(world.clock.pending, 0);
  equal(world.states.at(-1), { state: "closed", code: 1000, reason: "" });
  equal(world.page.listeners, 0);
  await world.clock.advance(600_000);
  equal(world.sockets.length, 1);
});

test("connect after close starts afresh and recovers", () => {
  const world = connected();
  recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 5 });
  world.client.close();
  world.client.connect();
  world.socket.welcome();
  equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 5 });
});

// --- backoff and close codes ---

test("backoff doubles up to its cap", async () => {
  const world = setUp();
  world.random = 1;
  world.client.connect();
  equal(await failingDelays(world, 7), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test("backoff has full jitter: from nothing to the whole", async () => {
  const world = setUp();
  world.client.connect();
  world.random = 0;
  equal(await failingDelays(world, 2), [0, 0]);
  world.random = 0.25;
  equal(await failingDelays(world, 2), [1_000, 2_000]);
});

test("backoff's bounds are options, and the exponent can't overflow", async () => {
  const world = setUp({ backoff: { baseMs: 10, capMs: 50 } });
  world.random = 1;
  world.client.connect();
  equal((await failingDelays(world, 2_000)).slice(-1), [50]);
});

test("a connection that was stable resets the backoff, a short one doesn't", async () => {
  const world = setUp();
  world.random = 1;
  world.client.connect();
  await failingDelays(world, 3);
  world.socket.welcome();
  await world.clock.advance(9_999);
  equal(await failingDelays(world, 1), [8_000]);
  world.socket.welcome();
  await world.clock.advance(10_000);
  equal(await failingDelays(world, 2), [1_000, 2_000]);
});

test("waiting tells when, why and how often", () => {
  const world = connected();
  world.socket.drop(1012, "restart");
  const at = world.clock.now() + 500;
  equal(world.states.at(-1), { state: "waiting", at, delayMs: 500, attempt: 1, code: 1012, reason: "restart" });
  equal(world.client.nextAttemptAt, at);
});

for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4408, 4409, 4429, 4500, 4503, 4999]) {
  test(`comes back after ${code}`, async () => {
    const world = connected();
    world.socket.drop(code);
    equal(world.states.at(-1).delayMs, 500);
    await world.clock.advance(500);
    equal(world.sockets.length, 2);
  });
}

for (const code of [1002, 1003, 1007, 1008, 1009, 1010, 4400, 4401, 4403]) {
  test(`doesn't come back after ${code}`, async () => {
    const world = connected({ token: "old" });
    world.socket.drop(code, "name");
    equal(world.states.at(-1), { state: "closed", code, reason: "name" });
    world.page.sign("online");
    await world.clock.advance(600_000);
    equal(world.sockets.length, 1);
  });
}

test("the gateway's hint replaces the backoff, exactly", async () => {
  const world = connected();
  world.random = 1;
  world.socket.drop(4503, "overloaded retryAfterMs=3120");
  equal(world.states.at(-1).delayMs, 3_120);
  await world.clock.advance(3_119);
  equal(world.sockets.length, 1);
  await world.clock.advance(1);
  equal(world.sockets.length, 2);
});

test("a page that wakes up doesn't come before the hint", async () => {
  const world = connected();
  world.socket.drop(4429, "rate_limited retryAfterMs=60000");
  await world.clock.advance(30_000);
  world.page.sign("online");
  world.page.show();
  equal(world.states.at(-1).delayMs, 60_000);
  await world.clock.advance(29_999);
  equal(world.sockets.length, 1);
  await world.clock.advance(1);
  equal(world.sockets.length, 2);
});

test("connect() while waiting is now", () => {
  const world = connected();
  world.socket.drop(4503, "overloaded retryAfterMs=60000");
  world.client.connect();
  equal(world.sockets.length, 2);
});

// --- goaway ---

test("goaway: stays until the hint, then moves in one step", async () => {
  const world = connected();
  const { data } = recorded(world.client);
  world.socket.subscribed(TOPIC);
  await world.clock.advance(20_000);
  world.socket.receive({ type: "pong" });
  world.socket.receive({ type: "goaway", reason: "draining", reconnectAfterMs: 3_120 });
  await world.clock.advance(3_119);
  world.socket.message(TOPIC, 1, "still here");
  equal(data(), ["still here"]);
  equal(world.sockets.length, 1);
  await world.clock.advance(1);
  equal(world.sockets.length, 2);
  equal(world.sockets[0].closedWith, 1000);
  world.socket.welcome();
  equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 1 });
  equal(world.states.map(({ state }) => state), ["connecting", "connected", "connecting", "connected"]);
});

test("goaway: if the gateway closes first, what is left of the hint is waited for", async () => {
  const world = connected();
  world.socket.receive({ type: "goaway", reason: "draining", reconnectAfterMs: 3_000 });
  await world.clock.advance(1_000);
  world.socket.drop(1001, "going_away");
  equal(world.states.at(-1).delayMs, 2_000);
  await world.clock.advance(2_000);
  equal(world.sockets.length, 2);
});

// --- heartbeat ---

test("pings at 80 to 100 % of the gateway's interval, again after each pong", async () => {
  for (const [random, interval] of [[0, 20_000], [0.999_999, 25_000]]) {
    const world = setUp();
    world.random = random;
    world.client.connect();
    world.socket.welcome();
    await world.clock.advance(interval - 1);
    equal(world.socket.of("ping").length, 0);
    await world.clock.advance(1);
    equal(world.socket.of("ping").length, 1);
    world.socket.receive({ type: "pong", id: world.socket.of("ping")[0].id });
    await world.clock.advance(interval);
    equal(world.socket.of("ping").length, 2);
    equal(world.client.state, "connected");
  }
});

test("a gateway that tells no interval is pinged all the same, not all the time", async () => {
  const world = setUp();
  world.client.connect();
  world.socket.welcome({ heartbeatMs: 0 });
  await world.clock.advance(22_499);
  equal(world.socket.of("ping").length, 0);
  await world.clock.advance(1);
  equal(world.socket.of("ping").length, 1);
});

test("no pong in time is a death", async () => {
  const world = connected();
  await world.clock.advance(22_500 + 9_999);
  equal(world.client.state, "connected");
  await world.clock.advance(1);
  equal(world.states.at(-1).code, 4409);
  equal(world.sockets[0].closedWith, 1000);
});

test("any frame after the ping is a sign of life", async () => {
  const world = connected();
  await world.clock.advance(22_500 + 5_000);
  world.socket.receive({ type: "online", topic: TOPIC, count: 1 });
  await world.clock.advance(5_000);
  equal(world.client.state, "connected");
  await world.clock.advance(22_500);
  equal(world.socket.of("ping").length, 2);
});

test("a ping timer that fires late pings, and doesn't declare death", async () => {
  const world = connected();
  await world.clock.sleep(3_600_000);
  equal(world.client.state, "connected");
  equal(world.socket.of("ping").length, 1);
  await world.clock.advance(4_999);
  equal(world.client.state, "connected");
  await world.clock.advance(1);
  equal(world.states.at(-1).code, 4409);
});

test("a pong deadline that fires late asks once more, and only then gives up", async () => {
  const world = connected();
  await world.clock.advance(22_500);
  await world.clock.sleep(3_600_000);
  equal(world.client.state, "connected");
  equal(world.socket.of("ping").length, 2);
  world.socket.receive({ type: "pong" });
  await world.clock.advance(10_000);
  equal(world.client.state, "connected");
  await world.clock.advance(12_500);
  await world.clock.sleep(3_600_000);
  await world.clock.sleep(3_600_000);
  equal(world.states.at(-1).code, 4409);
});

// --- the page ---

test("a page that is shown again or back online doesn't sit out the backoff", async () => {
  for (const sign of ["online", "pageshow", "visible", "resume"]) {
    const world = setUp();
    world.random = 1;
    world.client.connect();
    await failingDelays(world, 5);
    world.socket.drop();
    await world.clock.advance(2_000);
    const before = world.sockets.length;
    if (sign === "visible") {
      world.page.show();
    } else if (sign === "resume") {
      world.page.document.dispatchEvent(new Event("resume"));
    } else {
      world.page.sign(sign);
    }
    equal(world.sockets.length, before + 1, sign);
  }
});

test("many signs at once start one attempt a second", async () => {
  const world = setUp();
  world.random = 1;
  world.client.connect();
  await failingDelays(world, 5);
  await world.clock.advance(100);
  world.socket.drop();
  const before = world.sockets.length;
  world.page.sign("online");
  world.page.show();
  equal(world.sockets.length, before);
  equal(world.states.at(-1).delayMs, 900);
  await world.clock.advance(900);
  equal(world.sockets.length, before + 1);
});

test("a clock that was set back doesn't make the wait longer", async () => {
  const world = setUp();
  world.random = 1;
  world.client.connect();
  await failingDelays(world, 5);
  world.socket.drop();
  const before = world.sockets.length;
  world.clock.set(world.clock.now() - 3_600_000);
  world.page.sign("online");
  equal(world.states.at(-1).delayMs, 1_000);
  await world.clock.advance(1_000);
  equal(world.sockets.length, before + 1);
});

test("a worker hears when the network is back", async () => {
  if (globalThis.window || globalThis.self) {
    return; // where there are real ones, they can't be replaced
  }
  globalThis.self = new FakePage();
  try {
    const world = connected({ window: undefined });
    await world.clock.advance(5_000);
    globalThis.self.sign("online");
    equal(world.socket.of("ping").length, 1);
    world.client.close();
  } finally {
    delete globalThis.self;
  }
});

test("a hidden page doesn't hurry", async () => {
  const world = setUp();
  world.client.connect();
  await failingDelays(world, 5);
  world.socket.drop();
  await world.clock.advance(2_000);
  const before = world.sockets.length;
  world.page.show("hidden");
  equal(world.sockets.length, before);
});

test("an attempt that began on another network is given up when the page is online again", async () => {
  const world = setUp();
  world.client.connect();
  await world.clock.advance(6_000);
  world.page.sign("online");
  equal(world.sockets.length, 2);
  equal(world.sockets[0].closedWith, 1000);
});

test("a connected page that comes back asks, and doesn't wait long", async () => {
  for (const sign of ["online", "offline"]) {
    const world = connected();
    await world.clock.advance(5_000);
    world.page.sign(sign);
    equal(world.socket.of("ping").length, 1, sign);
    await world.clock.advance(5_000);
    equal(world.states.at(-1).code, 4409, sign);
  }
});

test("doubt shortens the wait for a pong that is already awaited", async () => {
  const world = connected();
  await world.clock.advance(22_500 + 1_000);
  world.page.sign("online");
  await world.clock.advance(5_000);
  equal(world.states.at(-1).code, 4409);
});

test("a connection that just spoke isn't doubted", async () => {
  const world = connected();
  await world.clock.advance(1_000);
  world.page.show();
  equal(world.socket.of("ping").length, 0);
});

test("a page that is put away closes, and reconnects when it is shown", async () => {
  const world = connected();
  await world.clock.advance(5_000);
  world.page.sign("pagehide");
  equal(world.socket.closedWith, 1000);
  equal([world.client.state, world.client.nextAttemptAt], ["waiting", null]);
  await world.clock.advance(600_000);
  equal(world.sockets.length, 1);
  world.page.sign("pageshow");
  equal(world.sockets.length, 2);
});

// --- subscriptions ---

test("subscribes once connected, in the order asked", () => {
  const world = setUp();
  recorded(world.client, "a");
  recorded(world.client, "b", { last: 20 });
  world.client.connect();
  equal(world.socket.sent, []);
  world.socket.welcome();
  recorded(world.client, "c");
  equal(world.socket.sent, [
    { type: "subscribe", id: 1, topic: "a" },
    { type: "subscribe", id: 2, topic: "b", last: 20 },
    { type: "subscribe", id: 3, topic: "c" },
  ]);
});

test("tells subscribed and messages with all their fields", () => {
  const world = connected();
  const { events, subscription } = recorded(world.client);
  equal(subscription.state, "subscribing");
  world.socket.subscribed(TOPIC, { offset: 17, online: 3 });
  equal(subscription.state, "subscribed");
  world.socket.receive({
    type: "message", topic: TOPIC, offset: 18, time: 5, sender: "u7", priority: "high", hidden: 2, data: { a: 1 },
  });
  world.socket.receive({ type: "message", topic: TOPIC, offset: 19, data: null });
  equal(events[0], ["subscribed", { topic: TOPIC, epoch: "e1", offset: 17, online: 3 }]);
  const common = { topic: TOPIC, epoch: "e1" };
  equal(events[1][1], { ...common, offset: 18, time: 5, sender: "u7", priority: "high", hidden: 2, data: { a: 1 } });
  equal(events[2][1], { ...common, offset: 19, priority: "normal", hidden: 0, data: null });
  equal(subscription.position, { epoch: "e1", offset: 19 });
  equal(subscription.online, 3);
});

test("comes back with since, and says whether that recovered", async () => {
  const world = connected();
  const { of, data } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 17 });
  world.socket.message(TOPIC, 18);
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 18 });
  world.socket.subscribed(TOPIC, { offset: 20, recovered: true });
  equal(of("subscribed")[1], { topic: TOPIC, epoch: "e1", offset: 20, recovered: true, since: { epoch: "e1", offset: 18 } });
  world.socket.message(TOPIC, 19);
  world.socket.message(TOPIC, 20);
  world.socket.message(TOPIC, 21);
  equal(data(), [18, 19, 20, 21]);
  equal(of("gap"), []);
});

test("without recovery it goes on from the head", async () => {
  const world = connected();
  const { of, data, subscription } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 17 });
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  world.socket.subscribed(TOPIC, { offset: 30, recovered: false });
  equal(of("subscribed")[1].recovered, false);
  equal(subscription.position, { epoch: "e1", offset: 30 });
  world.socket.message(TOPIC, 30);
  world.socket.message(TOPIC, 31);
  equal(data(), [31]);
});

test("what is lost is told apart from what follows", async () => {
  const world = connected();
  const { events, of } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 3 });
  world.random = 0;
  const again = async (fields) => {
    world.socket.drop();
    await world.clock.advance(0);
    world.socket.welcome();
    world.socket.subscribed(TOPIC, fields);
  };
  await again({ offset: 3, recovered: true });
  equal(of("lost"), []);
  await again({ offset: 9, recovered: false });
  equal(events.slice(-2).map(([type]) => type), ["subscribed", "lost"]);
  equal(of("lost"), [{ topic: TOPIC, epoch: "e1", offset: 9, since: { epoch: "e1", offset: 3 }, count: 6 }]);
  await again({ epoch: "e2", offset: 2, recovered: false });
  equal(of("lost")[1], { topic: TOPIC, epoch: "e2", offset: 2, since: { epoch: "e1", offset: 9 } });
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e3", offset: 0, recovered: false });
  equal(of("lost").length, 3, "a live topic's numbering began anew");
});

test("a new epoch on a live topic starts the numbering anew", () => {
  const world = connected();
  const { of, data, subscription } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 17 });
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e2", offset: 2, recovered: false });
  world.socket.message(TOPIC, 3);
  equal(data(), [3]);
  equal(of("subscribed").map(({ epoch, recovered }) => [epoch, recovered]), [["e1", undefined], ["e2", false]]);
  equal(subscription.position, { epoch: "e2", offset: 3 });
});

test("a head below what was seen is believed: the numbering was rolled back", async () => {
  const world = connected();
  const { data } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 17 });
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  world.socket.subscribed(TOPIC, { offset: 5, recovered: false });
  world.socket.message(TOPIC, 6);
  equal(data(), [6]);
});

test("last brings older messages without calling them gaps or duplicates", async () => {
  const world = connected();
  const { data, of } = recorded(world.client, TOPIC, { last: 3 });
  world.socket.subscribed(TOPIC, { offset: 10 });
  for (const offset of [9, 10, 11]) {
    world.socket.message(TOPIC, offset);
  }
  equal(data(), [9, 10, 11]);
  equal(of("gap"), []);
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 11 });
  world.socket.subscribed(TOPIC, { offset: 12, recovered: false });
  for (const offset of [10, 11, 12, 13]) {
    world.socket.message(TOPIC, offset);
  }
  equal(data(), [9, 10, 11, 12, 13]);
});

test("messages before the head that aren't there to be replayed aren't lost on each reconnect", async () => {
  const world = connected();
  const { of, data } = recorded(world.client, TOPIC, { last: 3 });
  world.socket.subscribed(TOPIC, { offset: 10 });
  world.random = 0;
  const again = async (fields) => {
    world.socket.drop();
    await world.clock.advance(0);
    world.socket.welcome();
    equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 7 }, "a replay that was cut off would come again");
    world.socket.subscribed(TOPIC, fields);
  };
  await again({ offset: 10, recovered: false });
  equal([of("lost"), of("subscribed")[1].recovered], [[], undefined]);
  await again({ offset: 10, recovered: false });
  equal(of("lost"), []);
  await again({ offset: 12, recovered: false });
  equal(of("lost"), [{ topic: TOPIC, epoch: "e1", offset: 12, since: { epoch: "e1", offset: 10 }, count: 2 }]);
  world.socket.message(TOPIC, 12);
  equal(data(), [12], "what last brings of them");
  await dropped(world);
  equal(of("lost").length, 1);
});

test("nothing is lost on a topic that the gateway joins where it was asked for with last before", async () => {
  const world = connected();
  const { of, data } = recorded(world.client, TOPIC, { last: 3 });
  world.socket.subscribed(TOPIC, { offset: 10 });
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e1", offset: 10 });
  world.socket.message(TOPIC, 11);
  equal([of("lost"), of("gap"), data()], [[], [], [11]]);
});

test("since given by the application is where the first subscription starts", () => {
  const world = connected();
  const { data } = recorded(world.client, TOPIC, { since: { epoch: "e1", offset: 3 } });
  equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 3 });
  world.socket.subscribed(TOPIC, { offset: 4, recovered: true });
  world.socket.message(TOPIC, 4);
  equal(data(), [4]);
});

test("a message comes once", () => {
  const world = connected();
  const { data } = recorded(world.client);
  world.socket.subscribed(TOPIC);
  for (const offset of [1, 2, 2, 1, 3]) {
    world.socket.message(TOPIC, offset);
  }
  equal(data(), [1, 2, 3]);
});

test("a line without offset always comes, and moves nothing", () => {
  const world = connected();
  const { data, subscription } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 4 });
  world.socket.receive({ type: "message", topic: TOPIC, data: "mine" });
  world.socket.receive({ type: "message", topic: TOPIC, data: "mine" });
  equal(data(), ["mine", "mine"]);
  equal(subscription.position.offset, 4);
});

test("gaps move the position; hidden ones have none", () => {
  const world = connected();
  const { of, data, subscription } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 19 });
  world.socket.receive({ type: "gap", topic: TOPIC, from: 20, to: 60, count: 41, reason: "behind" });
  equal(subscription.position.offset, 60);
  world.socket.message(TOPIC, 60);
  world.socket.message(TOPIC, 61);
  world.socket.receive({ type: "gap", topic: TOPIC, count: 37, reason: "hidden" });
  equal(data(), [61]);
  equal(of("gap"), [
    { topic: TOPIC, from: 20, to: 60, count: 41, reason: "behind" },
    { topic: TOPIC, count: 37, reason: "hidden" },
  ]);
});

test("a hole that the gateway doesn't explain is told", () => {
  const world = connected();
  const { events } = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 1 });
  world.socket.message(TOPIC, 5);
  equal(events.slice(1).map(([type]) => type), ["gap", "message"]);
  equal(events[1][1], { topic: TOPIC, from: 2, to: 4, count: 3, reason: "missing" });
});

test("batches are messages, and end when a listener leaves", () => {
  const world = connected();
  const { data, subscription } = recorded(world.client);
  world.socket.subscribed(TOPIC);
  subscription.addEventListener("message", ({ detail }) => detail.offset === 2 && subscription.unsubscribe());
  world.socket.receive({ type: "messages", topic: TOPIC, messages: [1, 2, 3].map((offset) => ({ offset, data: offset })) });
  equal(data(), [1, 2]);
});

test("raw is the data as published, of messages, batches and values", () => {
  const world = connected();
  const { of } = recorded(world.client);
  world.socket.subscribed(TOPIC);
  const raws = [
    '12345678901234567890',
    '{ "n" : 1.0000000000000000001, "data":[1,{"data":2}], "s":"}\\"]\\\\" }',
    '"\\"data\\":{"',
    "[]",
    "null",
  ];
  raws.forEach((raw, i) =>
    world.socket.receiveText(`{"type":"message","topic":"${TOPIC}","offset":${i + 1},"sender":"{\\"data\\":","data":${raw}}`),
  );
  const elements = raws.map((raw, i) => `{"offset":${i + 6},"sender":"data","data":${raw}}`).join(",");
  world.socket.receiveText(`{"type":"messages","topic":"${TOPIC}","messages":[${elements}]}`);
  world.socket.receiveText(`{"type":"value","topic":"${TOPIC}","key":"data","data":${raws[0]}}`);
  equal(of("message").map(({ raw }) => raw), [...raws, ...raws]);
  equal(of("value")[0].raw, raws[0]);
  equal(of("message")[1].data.data, [1, { data: 2 }]);
  world.socket.receiveText(`{"type":"message","topic":"${TOPIC}","newer":{"data":1},"offset":11,"data":2}`);
  equal(of("message").at(-1).raw, "2");
});

test("handles on a topic share one subscription on the wire", async () => {
  const world = connected();
  const first = recorded(world.client);
  world.socket.subscribed(TOPIC, { offset: 4 });
  const second = recorded(world.client);
  equal(second.events, []);
  await settle();
  equal(second.of("subscribed"), [{ topic: TOPIC, epoch: "e1", offset: 4 }]);
  world.socket.message(TOPIC, 5);
  equal([first.data(), second.data()], [[5], [5]]);
  first.subscription.unsubscribe();
  world.socket.message(TOPIC, 6);
  equal([first.data(), second.data()], [[5], [5, 6]]);
  equal(world.socket.of("unsubscribe").length, 0);
  second.subscription.unsubscribe();
  equal(world.socket.of("unsubscribe"), [{ type: "unsubscribe", id: 2, topic: TOPIC }]);
  equal(world.socket.of("subscribe").length, 1);
  equal(second.of("unsubscribed"), [{ topic: TOPIC, code: "left", reason: "" }]);
  equal(second.subscription.state, "unsubscribed");
});

test("what still comes for a topic that was left and joined again belongs to the old subscription", () => {
  const world = connected();
  recorded(world.client).subscription.unsubscribe();
  const [{ id: oldId }] = world.socket.of("subscribe");
  const { events, data } = recorded(world.client);
  world.socket.receive({ type: "subscribed", id: oldId, topic: TOPIC, epoch: "e1", offset: 1 });
  world.socket.message(TOPIC, 2);
  world.socket.receive({ type: "unsubscribed", id: world.socket.of("unsubscribe")[0].id, topic: TOPIC });
  equal(events, []);
  world.socket.subscribed(TOPIC, { offset: 2 });
  world.socket.message(TOPIC, 3);
  equal(data(), [3]);
});

test("a topic that was left isn't asked for after reconnecting", async () => {
  const world = connected();
  recorded(world.client).subscription.unsubscribe();
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.sent, []);
});

test("a refused subscription tells error and ends", async () => {
  const world = connected();
  const { events, subscription } = recorded(world.client);
  world.socket.receive({ type: "error", id: 1, topic: TOPIC, code: "not_permitted", message: "no" });
  equal(events.map(([type, { code }]) => [type, code]), [["error", "not_permitted"], ["unsubscribed", "not_permitted"]]);
  equal(subscription.state, "unsubscribed");
  await world.clock.advance(15_000);
  equal(world.socket.of("subscribe").length, 1);
});

/** The gateway refuses the last subscribe for good. */
function refuse({ socket }, code = "not_permitted") {
  socket.receive({ type: "error", id: socket.of("subscribe").at(-1).id, topic: TOPIC, code, message: "no" });
}

test("a listener that subscribes again on a refusal begins anew, once", async () => {
  const world = connected();
  const errors = [];
  const handles = [];
  const join = () => {
    if (handles.length < 9) {
      handles.push(world.client.subscribe(TOPIC, { onError: ({ code }) => errors.push(code) && join() }));
    }
  };
  join();
  refuse(world);
  equal([errors, handles.map(({ state }) => state)], [["not_permitted"], ["unsubscribed", "subscribing"]]);
  world.socket.subscribed(TOPIC);
  await world.clock.advance(15_000);
  equal([errors.length, handles[1].state, world.client.state], [1, "subscribed", "connected"]);
});

test("a listener that leaves and subscribes again on a refusal ends only the old subscription", async () => {
  const world = connected();
  let again;
  const first = recorded(world.client, TOPIC, {
    onError: () => {
      first.subscription.unsubscribe();
      again = recorded(world.client);
    },
  });
  refuse(world);
  equal(first.of("unsubscribed").map(({ code }) => code), ["left"]);
  equal(world.socket.of("unsubscribe"), [], "the gateway never began it");
  world.socket.subscribed(TOPIC, { offset: 1 });
  world.socket.message(TOPIC, 2);
  await world.clock.advance(15_000);
  equal(again.events.map(([type]) => type), ["subscribed", "message"]);
  equal([again.subscription.state, world.client.state], ["subscribed", "connected"]);
});

test("a listener that subscribes again when there is no token for the topic begins anew", async () => {
  const world = connected();
  let again;
  const token = () => "";
  const first = recorded(world.client, TOPIC, {
    token,
    onError: () => {
      first.subscription.unsubscribe();
      again = recorded(world.client);
    },
  });
  await settle();
  world.socket.subscribed(TOPIC);
  equal([first.of("unsubscribed").map(({ code }) => code), again.subscription.state], [["left"], "subscribed"]);
});

test("a handle that a listener adds isn't told what came before it", async () => {
  const world = connected();
  const late = [];
  const { subscription } = recorded(world.client, TOPIC, { onMessage: () => late.push(recorded(world.client)) });
  world.socket.subscribed(TOPIC);
  world.socket.message(TOPIC, 1);
  await settle();
  equal(late[0].events, [["subscribed", { topic: TOPIC, epoch: "e1", offset: 1 }]]);
  subscription.unsubscribe();
});

test("a handle that a listener adds amid a batch hears first where it came in", () => {
  const world = connected();
  let late = null;
  recorded(world.client, TOPIC, { onMessage: () => (late ??= recorded(world.client)) });
  world.socket.subscribed(TOPIC);
  world.socket.receive({ type: "messages", topic: TOPIC, messages: [1, 2, 3].map((offset) => ({ offset, data: offset })) });
  equal(late.events.map(([type, { offset }]) => [type, offset]), [["subscribed", 1], ["message", 2], ["message", 3]]);
});

test("a handle that another one's listener took away isn't told any more", () => {
  const world = connected();
  const second = {};
  recorded(world.client, TOPIC, { onMessage: () => second.subscription.unsubscribe() });
  Object.assign(second, recorded(world.client));
  world.socket.subscribed(TOPIC);
  world.socket.message(TOPIC, 1);
  equal([second.data(), second.of("unsubscribed").length], [[], 1]);
});

test("a subscription refused for now is asked for again, with backoff", async () => {
  const world = connected();
  const { subscription, of } = recorded(world.client);
  world.random = 1;
  for (const delay of [1_000, 2_000]) {
    const { id } = world.socket.of("subscribe").at(-1);
    world.socket.receive({ type: "error", id, topic: TOPIC, code: "overloaded", message: "later" });
    const before = world.socket.of("subscribe").length;
    await world.clock.advance(delay - 1);
    equal(world.socket.of("subscribe").length, before);
    await world.clock.advance(1);
    equal(world.socket.of("subscribe").length, before + 1);
  }
  world.socket.subscribed(TOPIC);
  equal(subscription.state, "subscribed");
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "overloaded" });
  equal(subscription.state, "pending");
  await world.clock.advance(1_000);
  equal(subscription.state, "subscribing", "after one base delay: the answer reset the backoff");
  equal(of("unsubscribed"), []);
});

test("a subscription that isn't answered costs the connection", async () => {
  const world = connected();
  const { of } = recorded(world.client);
  await world.clock.advance(10_000);
  equal(of("error").map(({ code }) => code), ["timeout"]);
  equal(world.states.at(-1).reason, "subscribe timeout");
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe").length, 1);
});

test("a subscription whose answer takes long on a connection that lives doesn't cost it", async () => {
  const world = connected();
  const { of, events } = recorded(world.client);
  await world.clock.advance(9_000);
  world.socket.receive({ type: "pong" });
  await world.clock.advance(3_000);
  world.socket.subscribed(TOPIC, { offset: 4 });
  await world.clock.advance(15_000);
  equal([world.client.state, events.length, of("error")], ["connected", 1, []]);
});

test("a subscription that is never answered costs the connection, however alive that is", async () => {
  const world = connected();
  const { of } = recorded(world.client);
  for (let i = 0; i < 8; i++) {
    await world.clock.advance(5_000 - 1);
    equal(world.client.state, "connected");
    world.socket.receive({ type: "pong" });
    await world.clock.advance(1);
  }
  equal([world.states.at(-1).reason, of("error").map(({ message }) => message)], [
    "subscribe timeout",
    ["no answer to subscribe within 40000 ms"],
  ]);
});

test("connections that are lost because a subscription isn't answered come back more and more slowly", async () => {
  const world = connected();
  recorded(world.client);
  const delays = [];
  for (let i = 0; i < 4; i++) {
    await world.clock.advance(10_000);
    const { state, delayMs } = world.states.at(-1);
    equal(state, "waiting");
    delays.push(delayMs);
    await world.clock.advance(delayMs);
    world.socket.welcome();
  }
  equal(delays, [500, 1_000, 2_000, 4_000]);
});

test("a subscription that was left before its answer costs nothing", async () => {
  const world = connected();
  recorded(world.client).subscription.unsubscribe();
  await world.clock.advance(15_000);
  equal(world.client.state, "connected");
});

test("the gateway may end a subscription", async () => {
  const world = connected();
  const { of } = recorded(world.client);
  world.socket.subscribed(TOPIC);
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "forbidden", reason: "moderator" });
  equal(of("unsubscribed"), [{ topic: TOPIC, code: "forbidden", reason: "moderator" }]);
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.sent, []);
});

test("topics that the gateway joins are announced, and recovered by the address", async () => {
  const world = setUp();
  const early = recorded(world.client, "$user:u7");
  const late = [];
  world.client.addEventListener("joined", ({ detail: { topic } }) => {
    if (topic === "news") {
      late.push(recorded(world.client, topic));
    }
  });
  world.client.connect();
  world.socket.welcome({ user: "u7" });
  for (const topic of ["$user:u7", "news"]) {
    world.socket.receive({ type: "subscribed", topic, epoch: "e1", offset: 0 });
    world.socket.message(topic, 1);
  }
  equal(world.socket.sent, []);
  equal([early.data(), late[0].data()], [[1], [1]]);
  world.socket.drop();
  await world.clock.advance(500);
  equal(new URL(world.socket.url).searchParams.getAll("since"), ["$user:u7@e1:1", "news@e1:1"]);
  world.socket.welcome();
  world.socket.receive({ type: "subscribed", topic: "$user:u7", epoch: "e1", offset: 1 });
  world.socket.receive({ type: "subscribed", topic: "news", epoch: "e1", offset: 2, recovered: true });
  world.socket.message("news", 2);
  equal([early.of("subscribed")[1].recovered, late[0].of("subscribed").at(-1).recovered], [true, true]);
  equal(late[0].data(), [1, 2]);
  equal(late.length, 1, "announced once");
});

test("a position that the application gives counts on topics that the gateway joins", () => {
  const world = setUp();
  const { of, data } = recorded(world.client, TOPIC, { since: { epoch: "e1", offset: 3 } });
  world.client.subscribe("room:43", { last: 3 });
  world.client.connect();
  equal(new URL(world.socket.url).searchParams.getAll("since"), [`${TOPIC}@e1:3`]);
  world.socket.welcome({ user: "u7" });
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e1", offset: 4, recovered: true });
  world.socket.message(TOPIC, 4);
  equal([of("subscribed")[0].recovered, of("lost"), data()], [true, [], [4]]);
});

test("the address has room for the gateway's own topics before others", async () => {
  const world = connected();
  const joined = (topic) => world.socket.receive({ type: "subscribed", topic, epoch: "e1", offset: 1 });
  for (let i = 0; i < 20; i++) {
    joined(`news:${i}`);
  }
  joined("$user:u7");
  world.client.subscribe("room:ours");
  world.socket.subscribed("room:ours");
  world.client.subscribe(TOPIC, { since: { epoch: "e1", offset: 3 } });
  world.socket.drop();
  await world.clock.advance(500);
  const positions = new URL(world.socket.url).searchParams.getAll("since");
  equal([positions.length, positions[0], positions.at(-1)], [16, "$user:u7@e1:1", "news:14@e1:1"]);
});

test("a topic that the gateway joined and the application asks for is one subscription", () => {
  const world = setUp();
  const { events, data, subscription } = recorded(world.client);
  world.client.connect();
  world.socket.welcome();
  const [{ id }] = world.socket.of("subscribe");
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e1", offset: 3 });
  world.socket.message(TOPIC, 4);
  world.socket.receive({ type: "error", id, topic: TOPIC, code: "already_subscribed", message: "is on it" });
  world.socket.message(TOPIC, 5);
  equal(data(), [4, 5]);
  equal(events.map(([type]) => type), ["subscribed", "message", "message"]);
  equal(subscription.state, "subscribed");
});

test("a topic that the gateway doesn't join again is asked for, from where it stopped", async () => {
  const world = connected();
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e1", offset: 3 });
  const { data } = recorded(world.client);
  world.socket.message(TOPIC, 4);
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe").map(({ topic, since }) => [topic, since]), [[TOPIC, { epoch: "e1", offset: 4 }]]);
  world.socket.subscribed(TOPIC, { offset: 5, recovered: true });
  world.socket.message(TOPIC, 5);
  equal(data(), [4, 5]);
  world.socket.drop();
  await world.clock.advance(1_000);
  equal(new URL(world.socket.url).searchParams.has("since"), false, "it is ours now");
});

test("a topic that the gateway joined before a reconnect, and not after, can still be asked for", async () => {
  const world = connected();
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e1", offset: 3 });
  world.socket.message(TOPIC, 4);
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe"), [], "nobody wants it");
  const { data, subscription } = recorded(world.client);
  equal(world.socket.of("subscribe").map(({ topic, since }) => [topic, since]), [[TOPIC, { epoch: "e1", offset: 4 }]]);
  world.socket.subscribed(TOPIC, { offset: 5, recovered: true });
  world.socket.message(TOPIC, 5);
  equal([data(), subscription.state], [[5], "subscribed"]);
  const another = recorded(world.client);
  equal([world.socket.of("subscribe").length, another.subscription.state], [1, "subscribed"], "it is one subscription");
});

test("what nobody has a handle on is told by the client", async () => {
  const world = connected();
  const events = [];
  for (const type of ["joined", "subscribed", "message", "retract", "unsubscribed"]) {
    world.client.addEventListener(type, ({ detail }) => events.push([type, detail.topic, detail.data ?? ""]));
  }
  world.socket.receive({ type: "subscribed", topic: "$user:u7", epoch: "e1", offset: 0 });
  world.socket.message("$user:u7", 1, "hello");
  world.socket.receive({ type: "subscribed", topic: "news", epoch: "e1", offset: 0 });
  world.socket.receive({ type: "retract", topic: "news", offsets: [1] });
  world.socket.receive({ type: "unsubscribed", topic: "news", code: "forbidden", reason: "moderator" });
  world.socket.message("news", 2);
  world.socket.message("never:joined", 1);
  equal(events, [
    ["joined", "$user:u7", ""],
    ["subscribed", "$user:u7", ""],
    ["message", "$user:u7", "hello"],
    ["joined", "news", ""],
    ["subscribed", "news", ""],
    ["retract", "news", ""],
    ["unsubscribed", "news", ""],
  ]);
  const { data } = recorded(world.client, "$user:u7");
  world.socket.message("$user:u7", 2);
  equal([data(), events.length], [[2], 7], "now somebody has");
});

test("a handle that left in the middle of a frame isn't heard by the client instead", () => {
  const world = connected();
  const heard = [];
  world.client.addEventListener("message", ({ detail }) => heard.push(detail));
  const subscription = world.client.subscribe(TOPIC, { onGap: () => subscription.unsubscribe() });
  world.socket.subscribed(TOPIC);
  world.socket.message(TOPIC, 3);
  equal(heard, []);
});

test("joined topics that weren't joined again are forgotten", async () => {
  const world = connected();
  world.socket.receive({ type: "subscribed", topic: "news", epoch: "e1", offset: 3 });
  for (const there of [true, true, false]) {
    world.socket.drop();
    await world.clock.advance(0);
    world.client.connect();
    equal(new URL(world.socket.url).searchParams.has("since"), there);
    if (world.sockets.length === 2) {
      continue; // an attempt that failed proves nothing
    }
    world.socket.welcome();
  }
});

test("online comes with subscribed, online frames and pongs", () => {
  const world = connected();
  const { of, subscription } = recorded(world.client);
  equal(subscription.online, null);
  world.socket.subscribed(TOPIC, { online: 1 });
  world.socket.receive({ type: "online", topic: TOPIC, count: 2 });
  equal(subscription.online, 2);
  world.socket.receive({ type: "pong", id: 9, online: { [TOPIC]: 3, other: 4 } });
  equal(subscription.online, 3);
  world.socket.receive({ type: "online", topic: TOPIC, count: 4, truncated: true });
  equal(of("online").map(({ count, truncated }) => [count, truncated]), [[2, false], [3, false], [4, true]]);
  world.socket.drop();
  equal(subscription.online, null, "online of a lost connection");
});

test("a pong doesn't say that a crowd is told whole", async () => {
  const world = connected();
  const { of } = recorded(world.client);
  world.socket.subscribed(TOPIC, { online: 1_500 });
  world.socket.receive({ type: "online", topic: TOPIC, count: 1_501, truncated: true });
  world.socket.receive({ type: "pong", id: 9, online: { [TOPIC]: 1_502 } });
  await dropped(world);
  world.socket.receive({ type: "pong", id: 9, online: { [TOPIC]: 1_503 } });
  equal(of("online").map(({ count, truncated }) => [count, truncated]), [[1_501, true], [1_502, true], [1_503, false]]);
});

test("values, retractions, joins and leaves reach the subscription", () => {
  const world = connected();
  const { events } = recorded(world.client);
  world.socket.subscribed(TOPIC);
  world.socket.receive({ type: "value", topic: TOPIC, key: "likes", data: 7 });
  world.socket.receive({ type: "retract", topic: TOPIC, offsets: [1, 2] });
  world.socket.receive({ type: "join", topic: TOPIC, user: "u1" });
  world.socket.receive({ type: "leave", topic: TOPIC, user: "u1" });
  equal(events.slice(1), [
    ["value", { topic: TOPIC, key: "likes", data: 7, raw: "7" }],
    ["retract", { topic: TOPIC, epoch: "e1", offsets: [1, 2] }],
    ["join", { topic: TOPIC, user: "u1" }],
    ["leave", { topic: TOPIC, user: "u1" }],
  ]);
});

test("attention is said again after reconnecting", async () => {
  const world = connected();
  recorded(world.client);
  world.socket.subscribed(TOPIC);
  const asked = world.client.attention(TOPIC, "digest");
  const { id } = world.socket.of("attention")[0];
  world.socket.receive({ type: "attention", id, topic: TOPIC, level: "digest" });
  await asked;
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  world.socket.subscribed(TOPIC);
  equal(world.socket.of("attention").map(({ level }) => level), ["digest"]);
});

test("an attention that is refused is nobody's level", async () => {
  const world = connected();
  recorded(world.client);
  world.socket.subscribed(TOPIC);
  equal(await rejection(world.client.attention(TOPIC, "none")), "TypeError");
  const refused = rejection(world.client.attention(TOPIC, "digest"));
  world.socket.receive({ type: "error", id: world.socket.of("attention")[0].id, topic: TOPIC, code: "not_implemented" });
  equal(await refused, "not_implemented");
  await dropped(world);
  equal(levels(world), []);
});

// --- hidden pages ---

/** The levels that were asked for on the present connection. */
function levels({ socket }, topic = TOPIC) {
  return socket.of("attention").filter((frame) => frame.topic === topic).map(({ level }) => level);
}

/** The gateway answers what was asked last. */
function attended({ socket }, topic = TOPIC) {
  const { id, level } = socket.of("attention").findLast((frame) => frame.topic === topic);
  socket.receive({ type: "attention", id, topic, level });
}

/** Connection lost, a new one made, all topics subscribed again. */
async function dropped(world, topics = [TOPIC]) {
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  for (const topic of topics) {
    world.socket.subscribed(topic, { recovered: true });
  }
}

/** On the topic, in a page that has been hidden for long enough. */
async function hidden(options = {}, subscribeOptions = {}) {
  const world = connected(options);
  const record = recorded(world.client, TOPIC, subscribeOptions);
  world.socket.subscribed(TOPIC);
  world.page.show("hidden");
  await world.clock.advance(5_000);
  return { world, ...record };
}

test("a page that stays hidden asks for counts, and for everything as soon as it is shown", async () => {
  const world = connected();
  recorded(world.client);
  world.socket.subscribed(TOPIC);
  world.page.show("hidden");
  await world.clock.advance(4_999);
  equal(levels(world), []);
  await world.clock.advance(1);
  equal(levels(world), ["counts"]);
  attended(world);
  world.page.show();
  equal(levels(world), ["counts", "full"]);
  attended(world);
  await world.clock.advance(10_000);
  equal(levels(world), ["counts", "full"]);
});

test("a subscription hears when it gets less, and everything again", async () => {
  const world = connected();
  const levels = [];
  world.client.subscribe(TOPIC, { onAttention: ({ level }) => levels.push(level) });
  world.socket.subscribed(TOPIC);
  world.page.show("hidden");
  await world.clock.advance(5_000);
  equal(levels, [], "not before the gateway has heard of it");
  const answer = () => {
    const { id, level } = world.socket.of("attention").at(-1);
    world.socket.receive({ type: "attention", id, topic: TOPIC, level });
  };
  answer();
  world.page.show();
  answer();
  equal(levels, ["counts", "full"]);
});

test("a page that is hidden for a moment asks for nothing", async () => {
  const world = connected();
  recorded(world.client);
  world.socket.subscribed(TOPIC);
  for (let i = 0; i < 3; i++) {
    world.page.show("hidden");
    await world.clock.advance(3_000);
    world.page.show();
  }
  await world.clock.advance(20_000);
  equal(levels(world), []);
});

test("a frozen page that is shown again before its timer runs asks for nothing", async () => {
  const world = connected();
  recorded(world.client);
  world.socket.subscribed(TOPIC);
  world.page.show("hidden");
  world.page.document.visibilityState = "visible";
  await world.clock.sleep(60_000);
  equal(levels(world), []);
});

test("what a hidden page asks for is an option of the client and of each subscription", async () => {
  const world = connected({ hiddenAttention: "full", hiddenAfterMs: 100 });
  recorded(world.client, "a");
  recorded(world.client, "b", { hiddenAttention: "digest" });
  world.socket.subscribed("a");
  world.socket.subscribed("b");
  world.page.show("hidden");
  await world.clock.advance(100);
  equal([levels(world, "a"), levels(world, "b")], [[], ["digest"]]);
});

test("a level that doesn't exist is refused where it is said", () => {
  const refused = (call) => {
    try {
      call();
    } catch (error) {
      return error.message;
    }
    return "nothing was thrown";
  };
  const message = "an attention is full, digest or counts: none";
  equal(refused(() => setUp({ hiddenAttention: "none" })), message);
  equal(refused(() => setUp().client.subscribe(TOPIC, { hiddenAttention: "none" })), message);
});

test("of several handles on a topic, the one that wants most is heard", async () => {
  const { world } = await hidden();
  const digest = world.client.subscribe(TOPIC, { hiddenAttention: "digest" });
  const full = world.client.subscribe(TOPIC, { hiddenAttention: "full" });
  full.unsubscribe();
  digest.unsubscribe();
  equal(levels(world), ["counts", "digest", "full", "digest", "counts"]);
});

test("what the application wants less of stays less, hidden or shown", async () => {
  const world = connected();
  recorded(world.client, TOPIC, { hiddenAttention: "digest" });
  world.socket.subscribed(TOPIC);
  const asked = world.client.attention(TOPIC, "counts");
  attended(world);
  await asked;
  world.page.show("hidden");
  await world.clock.advance(5_000);
  world.page.show();
  equal(levels(world), ["counts"]);
});

test("a shown page gets back what the application wanted, also what it said meanwhile", async () => {
  const { world } = await hidden();
  await world.client.attention(TOPIC, "digest");
  equal(levels(world), ["counts"]);
  world.page.show();
  equal(levels(world), ["counts", "digest"]);
});

test("a level whose answer is awaited while the page is hidden counts once it is there", async () => {
  const world = connected();
  recorded(world.client, TOPIC, { hiddenAttention: "digest" });
  world.socket.subscribed(TOPIC);
  const asked = world.client.attention(TOPIC, "counts");
  const { id } = world.socket.of("attention")[0];
  world.page.show("hidden");
  await world.clock.advance(5_000);
  equal(levels(world), ["counts", "digest"]);
  world.socket.receive({ type: "attention", id, topic: TOPIC, level: "counts" });
  await asked;
  equal(levels(world), ["counts", "digest", "counts"]);
});

test("a connection that is lost while the page is hidden comes back with less", async () => {
  const { world } = await hidden();
  attended(world);
  await dropped(world);
  equal(levels(world), ["counts"]);
  world.page.show();
  equal(levels(world), ["counts", "full"]);
});

test("a page that is hidden before it connects asks for less too", async () => {
  const world = setUp();
  world.page.document.visibilityState = "hidden";
  world.client.connect();
  world.socket.welcome();
  recorded(world.client);
  world.socket.subscribed(TOPIC);
  await world.clock.advance(5_000);
  equal(levels(world), ["counts"]);
});

test("a topic that is left as soon as it is subscribed isn't asked for less", async () => {
  const world = connected();
  world.page.show("hidden");
  await world.clock.advance(5_000);
  const { subscription } = recorded(world.client, TOPIC, { onSubscribed: () => subscription.unsubscribe() });
  world.socket.subscribed(TOPIC);
  equal(world.socket.sent.map(({ type }) => type), ["subscribe", "unsubscribe"]);
});

test("topics that the gateway joined are told in full", async () => {
  const world = connected();
  const own = "$user:u7";
  world.client.addEventListener("joined", () => recorded(world.client, own));
  world.socket.receive({ type: "subscribed", topic: own, epoch: "e1", offset: 0 });
  world.page.show("hidden");
  await world.clock.advance(5_000);
  equal(world.socket.of("attention"), []);
});

test("a gateway that refuses less is asked once for each connection, and nobody is told", async () => {
  const { world, of } = await hidden();
  const errors = [];
  world.client.addEventListener("error", ({ detail }) => errors.push(detail));
  const refuse = () =>
    world.socket.receive({ type: "error", id: world.socket.of("attention").at(-1).id, topic: TOPIC, code: "not_implemented" });
  refuse();
  world.page.show();
  world.page.show("hidden");
  await world.clock.advance(5_000);
  equal(levels(world), ["counts"]);
  await dropped(world);
  equal(levels(world), ["counts"]);
  refuse();
  equal([of("error"), errors], [[], []]);
  equal(world.client.state, "connected");
});

test("a gateway that refuses to give everything again costs the connection: a new one recovers", async () => {
  const { world } = await hidden();
  attended(world);
  world.page.show();
  world.socket.receive({ type: "error", id: world.socket.of("attention")[1].id, topic: TOPIC, code: "overloaded" });
  equal([world.client.state, world.states.at(-1).reason], ["waiting", "attention overloaded"]);
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe")[0].since, { epoch: "e1", offset: 0 });
  world.socket.subscribed(TOPIC, { recovered: true });
  equal(levels(world), []);
});

test("a level that is refused because the subscription had ended costs nothing", async () => {
  const { world, of } = await hidden();
  attended(world);
  world.page.show();
  const { id } = world.socket.of("attention")[1];
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "overloaded", reason: "later" });
  world.socket.receive({ type: "error", id, topic: TOPIC, code: "not_subscribed", message: "isn't on it" });
  equal([world.client.state, of("error")], ["connected", []]);
  await world.clock.advance(500);
  world.socket.subscribed(TOPIC, { recovered: true });
  equal(levels(world), ["counts", "full"], "a subscription begins with everything");
});

test("less that was asked for without an answer is taken back all the same", async () => {
  const { world } = await hidden();
  await world.clock.advance(10_000);
  world.page.show();
  equal(levels(world), ["counts", "full"]);
});

test("a page that is put away or closed has no timer left", async () => {
  for (const end of ["pagehide", "close"]) {
    const world = connected();
    recorded(world.client);
    world.socket.subscribed(TOPIC);
    world.page.show("hidden");
    if (end === "close") {
      world.client.close();
    } else {
      world.page.sign(end);
    }
    equal(world.clock.pending, 0, `timers after ${end}`);
  }
});

test("a page without a document, and none at all, is never hidden", async () => {
  for (const page of [undefined, Object.assign(new FakePage(), { document: undefined })]) {
    const world = connected({ window: page });
    recorded(world.client);
    world.socket.subscribed(TOPIC);
    await world.clock.advance(6_000);
    equal(levels(world), []);
    world.client.close();
  }
});

test("what a hidden page left out follows as messages, or as a gap", async () => {
  const { world, events, data } = await hidden();
  attended(world);
  events.length = 0;
  world.page.show();
  attended(world);
  world.socket.message(TOPIC, 1);
  world.socket.message(TOPIC, 2);
  equal(data(), [1, 2]);
  world.socket.receive({ type: "gap", topic: TOPIC, from: 3, to: 9, count: 7, reason: "attention" });
  world.socket.message(TOPIC, 10);
  equal(events.map(([type, { offset, from }]) => [type, offset ?? from]), [
    ["message", 1],
    ["message", 2],
    ["gap", 3],
    ["message", 10],
  ]);
  equal(events[2][1], { topic: TOPIC, from: 3, to: 9, count: 7, reason: "attention" });
});

test("a digest is urgent messages with the gaps before them", async () => {
  const { world, events } = await hidden({ hiddenAttention: "digest" });
  attended(world);
  events.length = 0;
  world.socket.receive({ type: "gap", topic: TOPIC, from: 1, to: 4, count: 4, reason: "attention" });
  world.socket.receive({ type: "message", topic: TOPIC, offset: 5, priority: "critical", data: "gift" });
  world.socket.receive({ type: "message", topic: TOPIC, offset: 6, priority: "high", data: "next" });
  equal(events.map(([type, { reason, offset }]) => [type, reason ?? offset]), [
    ["gap", "attention"],
    ["message", 5],
    ["message", 6],
  ]);
});

// --- values and hidden counts ---

test("a subscription knows the topic's values as last told", async () => {
  const world = connected();
  const { subscription, of } = recorded(world.client);
  const value = (key, data) => world.socket.receive({ type: "value", topic: TOPIC, key, data });
  const values = () => Object.fromEntries(subscription.values);
  world.socket.subscribed(TOPIC);
  value("likes", 7);
  value("__proto__", "a key like others");
  value("likes", 9);
  equal([...subscription.values], [["likes", 9], ["__proto__", "a key like others"]]);
  subscription.values.clear();
  equal(subscription.values.size, 2);
  value("__proto__", null);
  equal(of("value").at(-1).data, null);
  equal(values(), { likes: 9 });
  world.socket.drop();
  equal(values(), { likes: 9 }, "values of a lost connection");
  await world.clock.advance(500);
  world.socket.welcome();
  world.socket.subscribed(TOPIC, { recovered: true });
  equal(values(), {}, "values that weren't told again");
  value("poll", { yes: 1 });
  equal(values(), { poll: { yes: 1 } });
  world.socket.receive({ type: "subscribed", topic: TOPIC, epoch: "e2", offset: 0, recovered: false });
  equal(values(), {}, "values of another epoch");
});

test("a subscription counts what the room's budget hid, once", async () => {
  const world = connected();
  const { subscription, data, of } = recorded(world.client);
  equal(subscription.hidden, 0);
  world.socket.subscribed(TOPIC);
  const message = { type: "message", topic: TOPIC, offset: 1, hidden: 37, data: 1 };
  world.socket.receive(message);
  world.socket.receive(message);
  world.socket.receive({ type: "gap", topic: TOPIC, count: 12, reason: "hidden" });
  world.socket.receive({ type: "gap", topic: TOPIC, from: 2, to: 60, count: 59, reason: "behind" });
  equal(subscription.hidden, 49);
  world.socket.receive({
    type: "messages",
    topic: TOPIC,
    messages: [{ offset: 61, hidden: 5, data: 61 }, { offset: 62, data: 62 }, { offset: 63, hidden: 2, data: 63 }],
  });
  equal(data(), [1, 61, 62, 63]);
  equal(of("message").map((each) => each.hidden), [37, 5, 0, 2]);
  equal(subscription.hidden, 56);
  await dropped(world);
  equal(subscription.hidden, 56);
});

// --- requests ---

test("publish: data last, the position back", async () => {
  const world = connected();
  const published = world.client.publish(TOPIC, { text: "hi" }, { priority: "low", messageId: "m1" });
  equal(Object.keys(world.socket.sent[0]), ["type", "id", "topic", "messageId", "priority", "data"]);
  equal(world.socket.sent[0], { type: "publish", id: 1, topic: TOPIC, messageId: "m1", priority: "low", data: { text: "hi" } });
  world.socket.receive({ type: "published", id: 1, topic: TOPIC, epoch: "e1", offset: 20 });
  equal(await published, { epoch: "e1", offset: 20, duplicate: false });
});

test("publish: hidden by the room's budget", async () => {
  const world = connected();
  const published = world.client.publish(TOPIC, "hi");
  world.socket.receive({ type: "published", id: 1, topic: TOPIC, shed: "budget" });
  equal(await published, { shed: "budget", duplicate: false });
});

test("publish: held for a moderator, and refused with a reason", async () => {
  const world = connected();
  const held = world.client.publish(TOPIC, "hm");
  world.socket.receive({ type: "published", id: 1, topic: TOPIC, held: true });
  equal(await held, { held: true, duplicate: false });
  const refused = world.client.publish(TOPIC, "!!!");
  world.socket.receive({ type: "error", id: 2, topic: TOPIC, code: "refused", message: "mind your language" });
  const { code, message, topic } = await refused.catch((error) => error);
  equal([code, message, topic], ["refused", "mind your language", TOPIC]);
});

test("publish: a value has a key instead of a position", async () => {
  const world = connected();
  const published = world.client.publish(TOPIC, 250, { key: "likes", merge: "sum", messageId: "m1", ttlMs: 60_000 });
  const { sent } = world.socket;
  equal(sent[0], {
    type: "publish", id: 1, topic: TOPIC, messageId: "m1", key: "likes", merge: "sum", ttlMs: 60_000, data: 250,
  });
  equal(Object.keys(sent[0]).at(-1), "data");
  world.socket.receive({ type: "published", id: 1, topic: TOPIC, key: "likes" });
  equal(await published, { key: "likes", duplicate: false });
  const again = world.client.publish(TOPIC, 250, { key: "likes", merge: "sum", messageId: "m1" });
  world.socket.receive({ type: "published", id: 2, topic: TOPIC, key: "likes", duplicate: true });
  equal(await again, { key: "likes", duplicate: true });
});

test("publish: refused with the gateway's code", async () => {
  const world = connected();
  const published = world.client.publish(TOPIC, 1);
  world.socket.receive({ type: "error", id: 1, topic: TOPIC, code: "rate_limited", message: "slow down" });
  equal(await rejection(published), "rate_limited");
});

test("publish: what isn't JSON isn't sent", async () => {
  const world = connected();
  equal(await rejection(world.client.publish(TOPIC, undefined)), "TypeError");
  equal(await rejection(world.client.publish(TOPIC, 1n)), "TypeError");
  equal(world.socket.sent, []);
  equal(world.clock.pending, 1, "timers: the ping only");
});

test("publish: never sent, and sent without an answer, are different", async () => {
  const world = setUp();
  equal(await rejection(world.client.publish(TOPIC, 1)), "not_connected");
  world.client.connect();
  equal(await rejection(world.client.publish(TOPIC, 1)), "not_connected");
  world.socket.welcome();
  const sent = world.client.publish(TOPIC, 1);
  world.socket.drop();
  equal(await rejection(sent), "disconnected");
});

test("requests time out, and a late answer is nobody's", async () => {
  const world = connected();
  const slow = rejection(world.client.publish(TOPIC, 1));
  const slower = rejection(world.client.publish(TOPIC, 2, { timeoutMs: 12_000 }));
  await world.clock.advance(10_000);
  equal(await slow, "timeout");
  world.socket.receive({ type: "published", id: 1, topic: TOPIC, epoch: "e1", offset: 1 });
  equal(world.client.state, "connected");
  await world.clock.advance(2_000);
  equal(await slower, "timeout");
});

test("a request whose timer fires late gets its answer", async () => {
  const world = connected();
  const published = world.client.publish(TOPIC, 1);
  await world.clock.sleep(60_000);
  world.socket.receive({ type: "published", id: 1, topic: TOPIC, epoch: "e1", offset: 1 });
  equal((await published).offset, 1);
});

test("presence and history", async () => {
  const world = connected();
  const presence = world.client.presence(TOPIC);
  const history = world.client.history(TOPIC, { since: { epoch: "e1", offset: 1 }, limit: 2 });
  equal(world.socket.sent[1], { type: "history", id: 2, topic: TOPIC, since: { epoch: "e1", offset: 1 }, limit: 2 });
  world.socket.receive({ type: "presence", id: 1, topic: TOPIC, online: 2, users: 1, members: [{ user: "u7", connections: 2 }] });
  world.socket.receiveText(
    `{"type":"history","id":2,"topic":"${TOPIC}","epoch":"e1","messages":[{"offset":2,"data":1.0},{"offset":3,"data":"x"}],"more":true}`,
  );
  equal(await presence, { online: 2, users: 1, members: [{ user: "u7", connections: 2 }], truncated: false });
  const { epoch, messages, more } = await history;
  equal([epoch, more], ["e1", true]);
  const older = world.client.history(TOPIC, { before: { epoch: "e0", offset: 9 } });
  equal(world.socket.sent[2], { type: "history", id: 3, topic: TOPIC, before: { epoch: "e0", offset: 9 } });
  world.socket.receive({ type: "history", id: 3, topic: TOPIC, recovered: false, messages: [] });
  equal(await older, { epoch: null, recovered: false, messages: [], more: false });
  equal(messages.map(({ offset, data, raw }) => [offset, data, raw]), [[2, 1, "1.0"], [3, "x", '"x"']]);
});

test("a subscription asks for its own topic", async () => {
  const world = connected();
  const { subscription } = recorded(world.client);
  const presence = subscription.presence();
  const history = rejection(subscription.history({ limit: 5 }));
  equal(world.socket.sent.slice(1), [
    { type: "presence", id: 2, topic: TOPIC },
    { type: "history", id: 3, topic: TOPIC, limit: 5 },
  ]);
  world.socket.receive({ type: "presence", id: 2, topic: TOPIC, online: 70_000, truncated: true });
  world.socket.receive({ type: "error", id: 3, topic: TOPIC, code: "not_permitted", message: "no" });
  equal(await presence, { online: 70_000, users: null, members: null, truncated: true }, "what isn't told is null");
  equal(await history, "not_permitted");
});

// --- tokens ---

const jwt = (exp, more = {}) => `h.${btoa(JSON.stringify({ exp, ...more })).replaceAll("=", "")}.s`;

/** Gives t1, t2, ... */
function counting() {
  let count = 0;
  return async () => `t${++count}`;
}

function errorsOf(client) {
  const errors = [];
  client.addEventListener("error", ({ detail }) => errors.push([detail.code, detail.message]));
  return errors;
}

test("the token function is asked first, and again after 4401, at once", async () => {
  const world = setUp({ token: counting() });
  const errors = errorsOf(world.client);
  world.client.connect();
  await settle();
  equal(world.socket.protocols[1], "token.t1");
  world.socket.welcome();
  await world.clock.advance(15_000);
  world.socket.drop(4401, "unauthorized");
  await settle();
  equal(world.socket.protocols[1], "token.t2");
  equal(world.states.map(({ state }) => state), ["connecting", "connected", "connecting"]);
  equal(errors, []);
});

test("a token that is refused is replaced once, with backoff; then the gateway's reason is told", async () => {
  const world = setUp({ token: counting() });
  const errors = errorsOf(world.client);
  world.client.connect();
  for (const [token, state] of [["t1", "waiting"], ["t2", "closed"]]) {
    await settle();
    equal(world.socket.protocols[1], `token.${token}`);
    world.socket.receive({ type: "error", code: "unauthorized", message: "no key signed this" });
    world.socket.drop(4401, "unauthorized");
    equal(world.states.at(-1).state, state);
    await world.clock.advance(500);
  }
  equal(errors, [["unauthorized", "no key signed this"]]);
  equal(world.states.at(-1), { state: "closed", code: 4401, reason: "unauthorized" });
  equal([world.clock.pending, world.page.listeners], [0, 0]);
  world.client.connect();
  await settle();
  equal(world.socket.protocols[1], "token.t3", "connect() starts afresh");
});

test("a token that is taken sometimes, and refused sometimes, is never refused twice in a row", async () => {
  const world = setUp({ token: counting() });
  world.client.connect();
  for (let i = 0; i < 5; i++) {
    await settle();
    world.socket.welcome();
    await world.clock.advance(15_000);
    world.socket.drop();
    await world.clock.advance(500);
    world.socket.drop(4401);
    await settle();
  }
  equal(world.client.state, "connecting");
});

test("a token that is no function's can't be replaced", async () => {
  const world = setUp({ token: "t0" });
  const errors = errorsOf(world.client);
  world.client.connect();
  equal(world.socket.protocols[1], "token.t0");
  world.socket.drop(4401, "unauthorized");
  equal(world.states.at(-1), { state: "closed", code: 4401, reason: "unauthorized" });
  equal(errors.map(([code]) => code), ["unauthorized"]);
  let refused = null;
  try {
    new Barrage(URL_, { WebSocket: class {}, token: 7 });
  } catch (error) {
    refused = error.message;
  }
  equal(refused, "a token is a string, or a function that gives one: 7");
});

test("why the gateway let nobody in is told with the end, and not before", async () => {
  const world = setUp();
  const errors = errorsOf(world.client);
  world.client.connect();
  world.socket.receive({ type: "error", code: "overloaded", message: "later" });
  world.socket.drop(4503, "overloaded retryAfterMs=700");
  equal([world.states.at(-1).state, errors], ["waiting", []]);
  await world.clock.advance(700);
  world.socket.receive({ type: "error", code: "refused", message: "banned until Monday" });
  world.socket.drop(4403, "forbidden");
  equal(errors, [["refused", "banned until Monday"]]);
  equal(world.states.at(-1), { state: "closed", code: 4403, reason: "forbidden" });
});

test("a token is kept for reconnects that have nothing to do with it, as long as it holds", async () => {
  const world = setUp({ token: async () => jwt(world.clock.now() / 1000 + 300) });
  world.client.connect();
  await settle();
  const [, first] = world.socket.protocols;
  world.socket.drop(1006);
  await world.clock.advance(500);
  equal(world.socket.protocols[1], first);
  await world.clock.sleep(300_000);
  world.socket.drop(1006);
  await world.clock.advance(1_000);
  equal(world.socket.protocols[1], `token.${jwt(world.clock.now() / 1000 + 300)}`);
});

test("no token closes; a function that fails is asked again, one that hangs is given up", async () => {
  const without = setUp({ token: () => null });
  without.client.connect();
  await settle();
  equal(without.states.at(-1), { state: "closed", code: 4401, reason: "the token function gave none" });

  let count = 0;
  const failing = setUp({ token: () => (++count === 1 ? Promise.reject(new Error("503")) : "t2") });
  const errors = errorsOf(failing.client);
  failing.client.connect();
  await settle();
  equal([failing.client.state, errors], ["waiting", [["token_failed", "the token function failed: 503"]]]);
  await failing.clock.advance(500);
  equal(failing.socket.protocols[1], "token.t2");

  const hanging = setUp({ token: () => new Promise(() => {}) });
  hanging.client.connect();
  await hanging.clock.advance(15_000);
  equal(hanging.client.state, "waiting");
});

test("a listener may close when the token function fails", async () => {
  const world = setUp({ token: () => Promise.reject(new Error("503")) });
  world.client.addEventListener("error", () => world.client.close());
  world.client.connect();
  await settle();
  equal([world.client.state, world.clock.pending], ["closed", 0]);
});

test("a token that arrives after close opens nothing", async () => {
  const world = setUp({ token: async () => "t1" });
  world.client.connect();
  world.client.close();
  await settle();
  equal(world.sockets.length, 0);
});

test("renews on the live connection before the token expires", async () => {
  const world = setUp({ token: async () => jwt(world.clock.now() / 1000 + 300) });
  world.client.connect();
  await settle();
  world.socket.welcome({ heartbeatMs: 1_000_000, expires: world.clock.now() / 1000 + 300 });
  await world.clock.advance(269_999);
  equal(world.socket.sent, []);
  await world.clock.advance(1);
  equal(world.socket.of("auth")[0].token, jwt(world.clock.now() / 1000 + 300));
  const expires = world.clock.now() / 1000 + 100;
  world.socket.receive({ type: "authenticated", id: world.socket.of("auth")[0].id, user: "u7", expires });
  await world.clock.advance(79_999);
  equal(world.socket.of("auth").length, 1);
  await world.clock.advance(1);
  equal(world.socket.of("auth").length, 2);
  equal(world.client.state, "connected");
});

test("renews when the gateway asks for it, once, and goes on with the new token", async () => {
  const world = setUp({ token: counting() });
  const errors = errorsOf(world.client);
  world.client.connect();
  await settle();
  world.socket.welcome();
  for (let i = 0; i < 2; i++) {
    world.socket.receive({ type: "error", code: "token_expired", message: "send 'auth'" });
  }
  await settle();
  const [{ id, token }, ...others] = world.socket.of("auth");
  equal([token, others], ["t2", []]);
  world.socket.receive({ type: "authenticated", id, user: "u7" });
  await settle();
  world.socket.receive({ type: "error", code: "token_expired", message: "send 'auth'" });
  await settle();
  equal(world.socket.of("auth").map((frame) => frame.token), ["t2", "t3"]);
  world.socket.drop();
  await world.clock.advance(500);
  equal(world.socket.protocols[1], "token.t3");
  equal(errors, []);
});

test("a renewal that fails is told, and the next connection asks anew", async () => {
  const world = setUp({ token: counting() });
  const errors = errorsOf(world.client);
  world.client.connect();
  await settle();
  world.socket.welcome();
  world.socket.receive({ type: "error", code: "token_expired", message: "send 'auth'" });
  await settle();
  const [{ id }] = world.socket.of("auth");
  world.socket.receive({ type: "error", id, code: "unauthorized", message: "another user" });
  await settle();
  equal(errors, [["token_failed", "the token wasn't renewed: another user"]]);
  await world.clock.advance(15_000);
  world.socket.drop(4401, "unauthorized");
  await settle();
  equal(world.socket.protocols[1], "token.t3");
});

test("without a token function the application hears that its token has expired", () => {
  const world = connected({ token: "t0" });
  const errors = errorsOf(world.client);
  world.socket.receive({ type: "error", code: "token_expired", message: "send 'auth'" });
  equal(errors, [["token_expired", "send 'auth'"]]);
});

test("a topic's token goes with its subscribe, and is asked for again when it was refused", async () => {
  const world = connected();
  const { of, subscription } = recorded(world.client, TOPIC, { token: counting() });
  await settle();
  equal(world.socket.of("subscribe"), [{ type: "subscribe", id: 1, topic: TOPIC, token: "t1" }]);
  world.socket.subscribed(TOPIC, { offset: 3 });
  world.socket.drop();
  await world.clock.advance(500);
  world.socket.welcome();
  equal(world.socket.of("subscribe")[0].token, "t1", "the kept one, without a detour");
  const refuse = (code) => {
    const { id } = world.socket.of("subscribe").at(-1);
    world.socket.receive({ type: "error", id, topic: TOPIC, code, message: "no" });
  };
  refuse("token_expired");
  await settle();
  equal(world.socket.of("subscribe")[1].token, "t2");
  equal(world.socket.of("subscribe")[1].since, { epoch: "e1", offset: 3 });
  equal(of("error"), []);
  refuse("unauthorized");
  await settle();
  equal([of("error")[0].code, subscription.state], ["unauthorized", "unsubscribed"], "a fresh one that is refused");
  equal(world.socket.of("subscribe").length, 2);
});

test("a topic's token may be a string", () => {
  const world = connected();
  recorded(world.client, TOPIC, { token: "t0" });
  equal(world.socket.of("subscribe")[0].token, "t0");
});

test("a topic's token is renewed on the live subscription, and no message is missed", async () => {
  const world = connected();
  const { of, data } = recorded(world.client, TOPIC, { token: counting() });
  await settle();
  world.socket.subscribed(TOPIC, { offset: 3 });
  world.socket.receive({ type: "error", topic: TOPIC, code: "token_expired", message: "send 'subscribe'" });
  await settle();
  const { id, token, since } = world.socket.of("subscribe")[1];
  equal([token, since], ["t2", { epoch: "e1", offset: 3 }]);
  world.socket.message(TOPIC, 4);
  world.socket.receive({ type: "authenticated", id, expires: 1_790_000_900 });
  await settle();
  world.socket.message(TOPIC, 5);
  equal(data(), [4, 5]);
  equal(of("error"), []);
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "forbidden", reason: "moderator" });
  equal(of("unsubscribed").length, 1, "the renewal is over");
});

test("a renewal that crosses the end of its subscription begins it again", async () => {
  const world = connected();
  const { of, data, subscription } = recorded(world.client, TOPIC, { token: counting() });
  await settle();
  world.socket.subscribed(TOPIC, { offset: 3 });
  world.socket.receive({ type: "error", topic: TOPIC, code: "token_expired", message: "send 'subscribe'" });
  await settle();
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "token_expired", reason: "too late" });
  equal([subscription.state, of("unsubscribed")], ["subscribing", []]);
  world.socket.subscribed(TOPIC, { offset: 4, recovered: true });
  world.socket.message(TOPIC, 4);
  equal(data(), [4]);
});

test("a renewal that is refused is told; the subscription lasts as long as the gateway lets it", async () => {
  const world = connected();
  const { of, data, subscription } = recorded(world.client, TOPIC, { token: counting() });
  const refuse = async () => {
    await settle();
    const { id } = world.socket.of("subscribe").at(-1);
    world.socket.receive({ type: "error", id, topic: TOPIC, code: "unauthorized", message: "no key signed this" });
    await settle();
  };
  await settle();
  world.socket.subscribed(TOPIC, { offset: 3 });
  world.socket.receive({ type: "error", topic: TOPIC, code: "token_expired", message: "send 'subscribe'" });
  await refuse();
  equal(of("error").map(({ code }) => code), ["token_failed"]);
  world.socket.message(TOPIC, 4);
  equal(data(), [4]);
  world.socket.receive({ type: "error", topic: TOPIC, code: "token_expired", message: "send 'subscribe'" });
  await settle();
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "token_expired", reason: "too late" });
  await refuse();
  equal(of("unsubscribed").map(({ code }) => code), ["unauthorized"], "refused as a new beginning");
  equal(subscription.state, "unsubscribed");
});

test("a topic whose token came too late is asked for with the next one", async () => {
  let give;
  const world = connected();
  const { of, subscription } = recorded(world.client, TOPIC, { token: () => new Promise((resolve) => (give = resolve)) });
  give("t1");
  await settle();
  world.socket.subscribed(TOPIC, { offset: 3 });
  world.socket.receive({ type: "error", topic: TOPIC, code: "token_expired", message: "send 'subscribe'" });
  world.socket.receive({ type: "unsubscribed", topic: TOPIC, code: "token_expired", reason: "too late" });
  equal(subscription.state, "pending");
  give("t2");
  await settle();
  equal(world.socket.of("subscribe").length, 1, "that one was for the live subscription");
  await world.clock.advance(500);
  equal([world.socket.of("subscribe")[1].token, of("unsubscribed")], ["t2", []]);
});

test("a topic's token function that fails is told and asked again; one that gives nothing ends the subscription", async () => {
  const world = connected();
  let count = 0;
  const failing = recorded(world.client, TOPIC, { token: () => (++count === 1 ? Promise.reject(new Error("503")) : "t2") });
  await settle();
  equal([failing.of("error")[0].code, failing.subscription.state], ["token_failed", "pending"]);
  await world.clock.advance(500);
  equal(world.socket.of("subscribe")[0].token, "t2");

  const without = recorded(world.client, "room:none", { token: () => "" });
  await settle();
  equal(without.of("unsubscribed").map(({ code }) => code), ["unauthorized"]);

  const hanging = recorded(world.client, "room:slow", { token: () => new Promise(() => {}) });
  world.socket.subscribed(TOPIC);
  await world.clock.advance(10_000);
  equal([hanging.of("error")[0].code, hanging.subscription.state], ["token_failed", "pending"]);

  const left = recorded(world.client, "room:left", { token: async () => "t1" });
  left.subscription.unsubscribe();
  await settle();
  equal(world.socket.of("subscribe").filter(({ topic }) => topic === "room:left"), []);
});

// --- bad company ---

test("listeners that throw break neither each other nor the client", async () => {
  const world = connected();
  const uncaught = catchUncaught();
  const subscription = world.client.subscribe(TOPIC, {
    onMessage() {
      throw new Error("first");
    },
  });
  const seen = [];
  subscription.addEventListener("message", ({ detail }) => seen.push(detail.data));
  world.client.addEventListener("waiting", () => {
    throw new Error("second");
  });
  world.socket.subscribed(TOPIC);
  world.socket.message(TOPIC, 1);
  world.socket.message(TOPIC, 2);
  equal(seen, [1, 2]);
  world.socket.drop();
  await world.clock.advance(500);
  equal(world.sockets.length, 2);
  equal(await uncaught(3), ["first", "first", "second"]);
});

test("a listener may close from within", () => {
  const world = setUp();
  world.client.addEventListener("connecting", () => world.client.close());
  world.client.connect();
  equal(world.client.state, "closed");
  equal(world.sockets.length, 0);
  equal(world.clock.pending, 0);
});

test("frames that make no sense are reported or passed over", () => {
  const world = connected();
  const { events } = recorded(world.client);
  const errors = [];
  world.client.addEventListener("error", ({ detail }) => errors.push(detail.code));
  world.socket.subscribed(TOPIC);
  for (const text of ["{", "null", "7", '"x"', "[]", "{}", '{"type":"newer"}', '{"type":"message","topic":"other","data":1}']) {
    world.socket.receiveText(text);
  }
  world.socket.onmessage({ data: new ArrayBuffer(1) });
  world.socket.receive({ type: "error", code: "bad_request", message: "whatever" });
  equal(errors, ["bad_frame", "bad_request"]);
  equal(events.length, 1);
  equal(world.client.state, "connected");
});

/** Collects what the platform calls uncaught, so that it doesn't fail the run. */
function catchUncaught() {
  const messages = [];
  if (typeof process === "object" && process.versions?.node) {
    // The runner has its own listener; ours must be the only one meanwhile.
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => messages.push(error.message));
    return async (count) => {
      while (messages.length < count) {
        await settle();
      }
      process.removeAllListeners("uncaughtException");
      others.forEach((listener) => process.on("uncaughtException", listener));
      return messages;
    };
  }
  const listener = (event) => {
    event.preventDefault();
    messages.push(event.error.message);
  };
  window.addEventListener("error", listener);
  return async (count) => {
    while (messages.length < count) {
      await settle();
    }
    window.removeEventListener("error", listener);
    return messages;
  };
}

await run();
