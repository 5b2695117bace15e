/**
 * What the tests stand on: a clock that only moves when told, a socket that only says what it is told, a page, and a runner
 * that works in a browser (`window.results`) and under `node --test` alike.
 */

const tests = [];

export function test(name, body) {
  tests.push({ name, body });
}

/** Runs what `test` collected. In a browser the outcome is in `window.results` once its `done` is true. */
export async function run() {
  if (typeof window === "undefined") {
    const runner = await import("node:test");
    for (const { name, body } of tests) {
      runner.test(name, body);
    }
    return;
  }
  const results = (window.results = { passed: 0, failed: [], done: false });
  for (const { name, body } of tests) {
    try {
      await body();
      results.passed++;
    } catch (error) {
      results.failed.push({ name, message: String(error?.message ?? error), stack: error?.stack ?? "" });
    }
  }
  results.done = true;
  const lines = results.failed.map(({ name, stack, message }) => `FAILED ${name}\n${stack || message}`);
  document.getElementById("report").textContent = [
    `${results.passed} passed, ${results.failed.length} failed`,
    ...lines,
  ].join("\n\n");
}

/** Deep equality of JSON-like values; an undefined member equals an absent one. */
export function equal(actual, expected, what = "value") {
  const canonical = (value) =>
    JSON.stringify(value, (_, v) =>
      v && typeof v === "object" && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
        : v === Infinity
          ? "Infinity"
          : v,
    );
  if (canonical(actual) !== canonical(expected)) {
    throw new Error(`${what}: expected ${canonical(expected)}, got ${canonical(actual)}`);
  }
}

/** The code that the promise is rejected with. */
export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error.code ?? error.name;
  }
  throw new Error("expected a rejection");
}

/** Lets everything run that is ready to run, on every platform: a macrotask comes after all microtasks. */
export const settle = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

/** A clock that moves only in `advance` and `sleep`. */
export class FakeClock {
  #now = 1_790_000_000_000;
  #timers = new Map();
  #lastId = 0;

  now = () => this.#now;

  setTimeout = (callback, ms) => {
    this.#timers.set(++this.#lastId, { callback, due: this.#now + Math.max(0, ms) });
    return this.#lastId;
  };

  clearTimeout = (id) => {
    this.#timers.delete(id);
  };

  get pending() {
    return this.#timers.size;
  }

  /** Time passes as it should: each timer fires when it is due. */
  async advance(ms) {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.due);
      this.#fire(next);
      await settle();
    }
    this.#now = end;
  }

  /** The machine sleeps: on waking, all that was due fires late. */
  async sleep(ms) {
    this.#now += ms;
    const late = [...this.#timers].filter(([, timer]) => timer.due <= this.#now);
    for (const [id, { due, callback }] of late) {
      if (this.#timers.has(id)) {
        this.#fire({ id, due, callback });
      }
    }
    await settle();
  }

  /** Somebody sets it. Timers don't run by it, so each is due when so much time has passed as before. */
  set(now) {
    for (const timer of this.#timers.values()) {
      timer.due += now - this.#now;
    }
    this.#now = now;
  }

  #next(end) {
    let next = null;
    for (const [id, { due, callback }] of this.#timers) {
      if (due <= end && (next === null || due < next.due)) {
        next = { id, due, callback };
      }
    }
    return next;
  }

  #fire({ id, callback }) {
    this.#timers.delete(id);
    callback();
  }
}

/** Makes a WebSocket class whose instances do only what the test says; `sockets` has them in order. */
export function fakeWebSockets(sockets) {
  return class FakeWebSocket {
    readyState = 0;
    onmessage = null;
    onclose = null;
    onerror = null;
    /** Frames that the client sent. */
    sent = [];
    /** The code that the client closed with. */
    closedWith = null;

    constructor(url, protocols) {
      if (!protocols.every((protocol) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(protocol))) {
        throw new SyntaxError(`not a subprotocol: ${protocols}`); // as browsers do
      }
      this.url = url;
      this.protocols = protocols;
      sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close(code) {
      this.readyState = 3;
      this.closedWith ??= code;
    }

    // --- the gateway's side ---

    welcome({ heartbeatMs = 25_000, ...more } = {}) {
      this.readyState = 1;
      this.receive({ type: "welcome", connection: "c1", protocol: "barrage.v1", heartbeatMs, ...more });
    }

    receive(frame) {
      this.receiveText(JSON.stringify(frame));
    }

    receiveText(data) {
      this.onmessage?.({ data });
    }

    drop(code = 1006, reason = "") {
      this.readyState = 3;
      this.onclose?.({ code, reason });
    }

    /** The frames of a type that the client sent. */
    of(type) {
      return this.sent.filter((frame) => frame.type === type);
    }

    /** Answers the client's last `subscribe` to the topic. */
    subscribed(topic, fields = {}) {
      const { id } = this.of("subscribe").findLast((frame) => frame.topic === topic);
      this.receive({ type: "subscribed", id, topic, epoch: "e1", offset: 0, ...fields });
    }

    message(topic, offset, data = offset) {
      this.receive({ type: "message", topic, offset, time: 1, data });
    }
  };
}

/** A window with a document, for the events that a page hears. */
export class FakePage extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  listeners = 0;

  addEventListener(...args) {
    this.listeners++;
    super.addEventListener(...args);
  }

  removeEventListener(...args) {
    this.listeners--;
    super.removeEventListener(...args);
  }

  sign(type) {
    this.dispatchEvent(new Event(type));
  }

  show(visibilityState = "visible") {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event("visibilitychange"));
  }
}
