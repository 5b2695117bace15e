/**
 * The browser client of the Barrage push gateway: one ES module without dependencies, speaking `barrage.v1`.
 *
 *     const barrage = new Barrage("wss://live.example/ws");
 *     barrage.subscribe("room:42", { onMessage: (message) => console.log(message.data) });
 *     barrage.connect();
 *
 * It keeps one WebSocket alive through lost networks, sleeping laptops, draining gateways and expiring tokens, and comes
 * back with every subscription at the position where it stopped. Types and their meaning are in barrage.d.ts.
 */

const PROTOCOL = "barrage.v1";

/** Close codes after which the same client would only be refused again. 4401 has rules of its own. */
const FINAL_CLOSE_CODES = new Set([1002, 1003, 1007, 1008, 1009, 1010, 4400, 4403]);
const CLOSE_ABNORMAL = 1006;
const CLOSE_UNAUTHORIZED = 4401;
const CLOSE_HEARTBEAT_TIMEOUT = 4409;

/** Refusals of a subscription that may be gone a moment later, so it is asked for again. */
const PASSING_ERRORS = new Set(["rate_limited", "internal", "overloaded", "draining", "hook_failed"]);
/** Refusals that another token may help against. */
const TOKEN_ERRORS = new Set(["unauthorized", "token_expired"]);

/** A connection that lived this long was a good one: the backoff starts afresh. */
const STABLE_MS = 10_000;
/** A timer that is this late didn't measure the peer: the page was throttled, frozen or asleep. */
const LATE_MS = 2_000;
/** Wait for the pong to a ping that was sent because there is a reason to doubt the connection. */
const DOUBT_MS = 5_000;
/** A `subscribe` may wait for the gateway's backend: so many times the timeout more, as long as the connection speaks. */
const SUBSCRIBE_WAITS = 3;
/** A token that expires within this time isn't worth connecting with. */
const TOKEN_MARGIN_MS = 5_000;
/** Renewal begins so long before the token expires, or in the last fifth of its life if that is later. */
const RENEWAL_MS = 30_000;
/** Positions of topics that the gateway joins, or may join, go into the address, whose length has a limit. */
const MAX_POSITIONS_IN_ADDRESS = 16;
/** Signs of life of the page (shown, online again) start at most one attempt in this time. */
const WAKE_SPACING_MS = 1_000;
const DEFAULT_HEARTBEAT_MS = 25_000;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** What may be in a subprotocol (RFC 9110's token). All that a JWT has is; what a backend made up needn't be. */
const SUBPROTOCOL = /^[\w!#$%&'*+.^`|~-]+$/;

/** How much of a topic one may want, from least to most. */
const ATTENTION_LEVELS = ["counts", "digest", "full"];

const DEFAULTS = {
  batch: false,
  hiddenAttention: "counts",
  hiddenAfterMs: 5_000,
  backoff: { baseMs: 1_000, capMs: 30_000 },
  connectTimeoutMs: 15_000,
  requestTimeoutMs: 10_000,
  pongTimeoutMs: 10_000,
};

const SYSTEM_TIMERS = {
  // The wall clock, not performance.now(): that one may stand still while a laptop sleeps, and hide a late timer.
  now: () => Date.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/** What went wrong, with the gateway's error code or one of the client's own: see barrage.d.ts. */
export class BarrageError extends Error {
  constructor(code, message = code, topic = undefined) {
    super(message);
    this.name = "BarrageError";
    this.code = code;
    this.topic = topic;
  }
}

/** The platform's timers, and deadlines made of them. */
class Timers {
  #platform;

  constructor(platform) {
    this.#platform = platform;
  }

  now() {
    return this.#platform.now();
  }

  /** For any time: those of platforms fire at once if it is longer than they can count. */
  setTimeout(callback, ms) {
    return this.#platform.setTimeout(callback, Math.min(ms, MAX_TIMEOUT_MS));
  }

  clearTimeout(timer) {
    this.#platform.clearTimeout(timer);
  }

  /**
   * A timer after which a peer that didn't answer has failed. If it fires late, the page was frozen or asleep and the answer
   * may still wait behind it: it calls `onLate` and gives the peer the whole time once more.
   */
  deadline(ms, onExpired, onLate = () => {}) {
    const due = this.now() + ms;
    let timer = this.setTimeout(() => {
      if (this.now() - due <= LATE_MS) {
        onExpired();
        return;
      }
      timer = this.setTimeout(onExpired, ms);
      onLate();
    }, ms);
    return { cancel: () => this.clearTimeout(timer) };
  }
}

/** Where tokens come from, and the last one. */
class TokenSource {
  #give = null;
  #token;

  constructor(token) {
    if (typeof token === "function") {
      this.#give = token;
    } else if (typeof token === "string" || token === undefined) {
      this.#token = token;
    } else {
      throw new TypeError(`a token is a string, or a function that gives one: ${token}`);
    }
  }

  /** Whether another one can be had. */
  get renews() {
    return this.#give !== null;
  }

  /** Whether one has to be asked for. Reconnects use the last one as long as it holds: they come in storms. */
  isDue(now) {
    return this.renews && (this.#token === undefined || tokenExpiry(this.#token) * 1000 - now < TOKEN_MARGIN_MS);
  }

  get token() {
    return this.#token;
  }

  /** Asks for a new one; undefined if there is none to be had. */
  async ask() {
    this.#token = (await this.#give()) || undefined;
    return this.#token;
  }

  /** The gateway doesn't take it. */
  drop() {
    if (this.renews) {
      this.#token = undefined;
    }
  }
}

/** What the gateway was asked on this connection and hasn't answered, each question under its id. */
class Requests {
  #open = new Map();
  #lastId = 0;
  #timers;
  #timeoutMs;
  #socket;

  /** @param socket `isOpen()`, `send(frame)`, and `heardAt()`: when the gateway was heard last */
  constructor(timers, timeoutMs, socket) {
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
    this.#socket = socket;
  }

  /** An id that no other frame of this client has. */
  nextId() {
    return ++this.#lastId;
  }

  /**
   * Asks, and gives the question's id, 0 if it wasn't sent. Callbacks, not a promise: the frame after a `subscribed` may arrive
   * before a promise's continuation runs. `waits` is how often the answer is given its time once more, if something else came
   * within it.
   */
  ask({ type, topic, ...fields }, done, fail, { timeoutMs = this.#timeoutMs, waits = 0 } = {}) {
    if (!this.#socket.isOpen()) {
      fail(new BarrageError("not_connected", `${type} wasn't sent: there is no connection`, topic));
      return 0;
    }
    const id = this.nextId();
    const request = { type, topic, deadline: null, done, fail };
    const wait = (waited) => {
      const since = this.#timers.now();
      request.deadline = this.#timers.deadline(timeoutMs, () => {
        if (waited < waits && this.#socket.heardAt() > since) {
          wait(waited + 1);
          return;
        }
        this.#open.delete(id);
        fail(new BarrageError("timeout", `no answer to ${type} within ${timeoutMs * (waited + 1)} ms`, topic));
      });
    };
    wait(0);
    this.#open.set(id, request);
    this.#socket.send({ type, id, topic, ...fields });
    return id;
  }

  /** As {@link ask}, for those who can wait. */
  answer(fields, options) {
    return new Promise((resolve, reject) => this.ask(fields, resolve, reject, options));
  }

  /** Whom the answer to a question is for: its `done` and `fail`. Undefined if nobody waits for it any more. */
  take(id) {
    const request = this.#open.get(id);
    if (request) {
      this.#open.delete(id);
      request.deadline.cancel();
    }
    return request;
  }

  has(type, topic) {
    return [...this.#open.values()].some((request) => request.type === type && request.topic === topic);
  }

  /** The connection is gone: no answer will come. */
  failAll() {
    const requests = [...this.#open.values()];
    this.#open.clear();
    for (const { topic, deadline, fail } of requests) {
      deadline.cancel();
      fail(new BarrageError("disconnected", "the connection was lost before the answer came", topic));
    }
  }
}

/** Asks whether the gateway is there, and judges by what comes. Runs from `start` to `stop`. */
class Heartbeat {
  #timers;
  #random;
  #pongTimeoutMs;
  #ping;
  #onDeath;

  #heartbeatMs = DEFAULT_HEARTBEAT_MS;
  #heardAt = -Infinity;
  #pingTimer = null;
  #pongDeadline = null;
  #pongDue = Infinity;

  /** @param ping sends one */
  constructor(timers, random, pongTimeoutMs, ping, onDeath) {
    this.#timers = timers;
    this.#random = random;
    this.#pongTimeoutMs = pongTimeoutMs;
    this.#ping = ping;
    this.#onDeath = onDeath;
  }

  /** When anything came last. */
  get heardAt() {
    return this.#heardAt;
  }

  heard() {
    this.#heardAt = this.#timers.now();
  }

  start(heartbeatMs) {
    this.#heartbeatMs = heartbeatMs || DEFAULT_HEARTBEAT_MS;
    this.#schedule();
  }

  stop() {
    this.#timers.clearTimeout(this.#pingTimer);
    this.#pongDeadline?.cancel();
    this.#pongDeadline = null;
  }

  onPong() {
    this.#pongDeadline?.cancel();
    this.#pongDeadline = null;
    this.#schedule();
  }

  /** The connection may be dead without a sign of it: ask, and don't wait as long as usual. */
  doubt() {
    this.#ask(Math.min(DOUBT_MS, this.#pongTimeoutMs));
  }

  /** 80-100 % of the gateway's interval: pings of many clients spread, and come before it has to ask itself. */
  #schedule() {
    const interval = this.#heartbeatMs * (0.8 + 0.2 * this.#random());
    this.#timers.clearTimeout(this.#pingTimer);
    const due = this.#timers.now() + interval;
    this.#pingTimer = this.#timers.setTimeout(() => {
      // A late timer isn't a death, but whoever slept has reason to doubt.
      if (this.#timers.now() - due > LATE_MS) {
        this.doubt();
      } else {
        this.#ask(this.#pongTimeoutMs);
      }
    }, interval);
  }

  #ask(timeoutMs) {
    const sentAt = this.#timers.now();
    if (this.#pongDeadline && this.#pongDue <= sentAt + timeoutMs) {
      return; // we shall know sooner
    }
    this.#pongDeadline?.cancel();
    this.#pongDue = sentAt + timeoutMs;
    this.#pongDeadline = this.#timers.deadline(
      timeoutMs,
      () => {
        this.#pongDeadline = null;
        if (this.#heardAt > sentAt) {
          this.#schedule(); // no pong yet, but other frames: busy, not dead
        } else {
          this.#onDeath();
        }
      },
      this.#ping,
    );
    this.#ping();
  }
}

/** Hears what the page tells, from `watch` to `unwatch`: shown, hidden, put away, online. */
class Page {
  #window;
  #timers;
  #hiddenAfterMs;
  #client;

  #unwatching = [];
  #hidden = false;
  #hiddenTimer = null;

  /** @param client what it is told: `wake()`, `doubt()`, `suspend()`, and `turned()` when `hidden` has changed */
  constructor(window, timers, hiddenAfterMs, client) {
    this.#window = window;
    this.#timers = timers;
    this.#hiddenAfterMs = hiddenAfterMs;
    this.#client = client;
  }

  /** Whether it has been hidden for so long that topics are asked for less. */
  get hidden() {
    return this.#hidden;
  }

  watch() {
    const document = this.#window?.document;
    const client = this.#client;
    const shown = () => {
      this.#look();
      client.wake();
    };
    this.#on(this.#window, "online", () => client.wake());
    this.#on(this.#window, "offline", () => client.doubt());
    this.#on(this.#window, "pageshow", shown);
    this.#on(this.#window, "pagehide", () => {
      this.#timers.clearTimeout(this.#hiddenTimer); // whatever shows or resumes the page looks anew
      client.suspend();
    });
    this.#on(document, "resume", shown);
    this.#on(document, "visibilitychange", () => {
      if (document.visibilityState === "visible") {
        shown();
      } else {
        this.#look();
      }
    });
    this.#look();
  }

  unwatch() {
    for (const off of this.#unwatching.splice(0)) {
      off();
    }
    this.#timers.clearTimeout(this.#hiddenTimer);
    this.#hidden = false;
  }

  #on(target, type, listener) {
    if (typeof target?.addEventListener === "function") {
      target.addEventListener(type, listener);
      this.#unwatching.push(() => target.removeEventListener(type, listener));
    }
  }

  /** Looks whether it is hidden: less is wanted if it stays so for a while; shown again, at once everything. */
  #look() {
    this.#timers.clearTimeout(this.#hiddenTimer);
    const isHidden = () => this.#window?.document?.visibilityState === "hidden";
    const turn = (hidden) => {
      this.#hidden = hidden;
      this.#client.turned();
    };
    if (!isHidden()) {
      turn(false);
    } else if (!this.#hidden) {
      // A page that was frozen may run this timer before it hears that it is shown.
      this.#hiddenTimer = this.#timers.setTimeout(() => isHidden() && turn(true), this.#hiddenAfterMs);
    }
  }
}

/** One message of a topic. Immutable for all but its author: nobody else holds it. */
class Message {
  #raw;

  constructor(topic, epoch, fields, raw) {
    this.topic = topic;
    this.epoch = epoch;
    this.offset = fields.offset;
    this.time = fields.time;
    this.sender = fields.sender;
    this.priority = fields.priority ?? "normal";
    this.hidden = fields.hidden ?? 0;
    this.data = fields.data;
    this.#raw = raw;
  }

  /** `data` exactly as published. Cut out of the frame when asked for, since few ask. */
  get raw() {
    return this.#raw();
  }
}

/** The application's handle on a topic. Handles on one topic share one subscription on the wire. */
class Subscription extends EventTarget {
  #client;
  #feed;
  #leave;

  constructor(client, feed, leave) {
    super();
    this.#client = client;
    this.#feed = feed;
    this.#leave = leave;
  }

  get topic() {
    return this.#feed.topic;
  }

  get state() {
    return this.#feed.handles.has(this) ? this.#feed.state : "unsubscribed";
  }

  /** The last position seen, or null before the first `subscribed`. */
  get position() {
    return positionOf(this.#feed) ?? null;
  }

  /** Subscriptions of the topic as last told, or null if the gateway doesn't tell. */
  get online() {
    return this.#feed.online;
  }

  /** The topic's values as last told, by key. A copy: what one does to it changes nothing here. */
  get values() {
    return new Map(this.#feed.values);
  }

  /** How many messages the room's budget hid since this client subscribed. */
  get hidden() {
    return this.#feed.hidden;
  }

  presence() {
    return this.#client.presence(this.topic);
  }

  history(options) {
    return this.#client.history(this.topic, options);
  }

  unsubscribe() {
    this.#leave(this);
  }
}

/** A topic as this client knows it: one subscription on the wire, any number of handles. */
class Feed {
  /** Each with what it wants of the topic while the page is hidden. */
  handles = new Map();
  /** Those of them that came while it was subscribed and haven't been told so, each with what it will be told. */
  newcomers = new Map();
  #state = "pending";
  /** Whether the gateway put the connection on the topic by itself, and will again; null before it was ever subscribed. */
  joined = null;
  /** Where its own tokens come from; null if the connection's is enough. */
  tokens = null;
  epoch = null;
  offset = 0;
  /** Whether `offset` is the last message's, so that a later one than the next shows a hole. */
  exact = false;
  /** The last offset when it was last subscribed. What `last` brings lies before it, and nobody misses what doesn't come. */
  head = 0;
  online = null;
  /** Whether it has too many users for each to be told of, as its last `online` said. A pong only counts. */
  truncated = false;
  /** Messages that the room's budget hid, all told. */
  hidden = 0;
  values = new Map();
  last = 0;
  /** What the application wants of the topic while the page is shown. */
  attention = "full";
  /** The level that this connection asked for last. */
  level = "full";
  /** The id of the `attention` that asked for it. */
  attending = 0;
  /** The id of the unanswered `subscribe`: the first one, or one that renews the topic's token. */
  asking = 0;
  retries = 0;
  #timers;
  #retryTimer = null;

  constructor(topic, timers) {
    this.topic = topic;
    this.#timers = timers;
  }

  /**
   * pending: not asked for on this connection, or not yet again; subscribing: asked, not answered; subscribed. A lost connection
   * and a refusal that may pass lead back to pending, and all lead to unsubscribed, which is the end.
   */
  get state() {
    return this.#state;
  }

  /** The one place where its state changes, with all that doesn't outlive the state before. */
  enter(state) {
    this.#timers.clearTimeout(this.#retryTimer);
    this.#state = state;
    this.truncated = false; // until an `online` says so
    if (state === "subscribed") {
      this.retries = 0;
      this.level = "full";
    } else {
      this.online = null;
    }
    if (state === "pending") {
      this.asking = 0;
    }
  }

  /** Pending for so long. */
  retryAfter(ms, retry) {
    this.enter("pending");
    this.retries++;
    this.#retryTimer = this.#timers.setTimeout(retry, ms);
  }

  /** Whether it is the gateway's own (`$user:u7`): it can't be asked for. */
  get isOwn() {
    return this.topic.startsWith("$");
  }

  /** The fullest level that a handle wants while the page is hidden, but no more than is wanted of a page that is shown. */
  get hiddenAttention() {
    const fullest = Math.max(...[...this.handles.values()].map((level) => ATTENTION_LEVELS.indexOf(level)));
    return ATTENTION_LEVELS[Math.min(fullest, ATTENTION_LEVELS.indexOf(this.attention))];
  }
}

export class Barrage extends EventTarget {
  #url;
  #options;
  #timers;
  #random;

  #state = "closed";
  #socket = null;
  #requests;
  #heartbeat;
  #page;
  #tokens;
  /** Whether the token was given for this very attempt. */
  #tokenIsFresh = false;
  /** Connections in a row that were refused because of their token. */
  #refusals = 0;
  #renewing = false;
  #welcome = null;
  #nextAttemptAt = null;

  #feeds = new Map();

  /** Attempts since the last good connection: the exponent of the backoff. */
  #failures = 0;
  /** Grows with each attempt, loss and close; what began under an older number must not act any more. */
  #generation = 0;
  #attemptStartedAt = -Infinity;
  #connectedAt = null;
  /** The gateway asked not to come back before this time; not even a page that wakes up does. */
  #notBefore = -Infinity;
  #goawayAt = null;

  #lastLoss = { code: CLOSE_ABNORMAL, reason: "" };
  /** What the gateway said instead of a welcome. */
  #refusal = null;

  #attemptTimer = null;
  #connectDeadline = null;
  #goawayTimer = null;
  #renewTimer = null;

  /** Whether the gateway refused an attention that nobody but this client asked for; it isn't asked again. */
  #attentionRefused = false;

  constructor(url, options = {}) {
    super();
    this.#url = webSocketUrl(url);
    this.#options = { ...DEFAULTS, ...given(options), backoff: { ...DEFAULTS.backoff, ...given(options.backoff) } };
    checkLevel(this.#options.hiddenAttention);
    this.#options.WebSocket ??= globalThis.WebSocket;
    if (typeof this.#options.WebSocket !== "function") {
      throw new TypeError("no WebSocket here: pass one as options.WebSocket");
    }
    this.#timers = new Timers(options.timers ?? SYSTEM_TIMERS);
    this.#random = options.random ?? Math.random;
    this.#tokens = new TokenSource(options.token);
    const { hiddenAfterMs, requestTimeoutMs, pongTimeoutMs } = this.#options;
    this.#requests = new Requests(this.#timers, requestTimeoutMs, {
      isOpen: () => this.#state === "connected" && this.#socket?.readyState === 1,
      send: (frame) => this.#send(frame),
      heardAt: () => this.#heartbeat.heardAt,
    });
    this.#heartbeat = new Heartbeat(
      this.#timers,
      this.#random,
      pongTimeoutMs,
      () => this.#send({ type: "ping", id: this.#requests.nextId() }),
      () => this.#lose(CLOSE_HEARTBEAT_TIMEOUT, "heartbeat_timeout"),
    );
    // A worker has no window, but hears of the network.
    const window = this.#options.window ?? globalThis.window ?? globalThis.self;
    this.#page = new Page(window, this.#timers, hiddenAfterMs, {
      wake: () => this.#wake(),
      doubt: () => this.#state === "connected" && this.#heartbeat.doubt(),
      suspend: () => this.#suspend(),
      turned: () => this.#attendAll(),
    });
  }

  /** connecting, connected, waiting or closed. */
  get state() {
    return this.#state;
  }

  /** While waiting: when the next attempt starts (ms since 1970). Null in a page that is put away. */
  get nextAttemptAt() {
    return this.#nextAttemptAt;
  }

  /** The connection's id at the gateway, while connected. */
  get connection() {
    return this.#welcome?.connection ?? null;
  }

  /** The user that the gateway knows this connection as, while connected. */
  get user() {
    return this.#welcome?.user ?? null;
  }

  /** Starts, or makes the next attempt now if one is waited for. */
  connect() {
    if (this.#state === "closed") {
      this.#failures = 0;
      this.#refusals = 0;
      this.#page.watch();
      this.#attempt();
    } else if (this.#state === "waiting") {
      this.#attempt();
    }
  }

  /** Ends the connection. Subscriptions and their positions stay, for another connect(). */
  close() {
    if (this.#state !== "closed") {
      this.#finish(1000, "");
    }
  }

  /** Resolves once connected; rejects with `closed` if the client closes instead. */
  ready() {
    return new Promise((resolve, reject) => {
      if (this.#state === "connected") {
        resolve();
        return;
      }
      if (this.#state === "closed") {
        reject(new BarrageError("closed", "connect() wasn't called, or the connection is closed for good"));
        return;
      }
      const settle = (event) => {
        this.removeEventListener("connected", settle);
        this.removeEventListener("closed", settle);
        if (event.type === "connected") {
          resolve();
        } else {
          reject(new BarrageError("closed", `closed: ${event.detail.code} ${event.detail.reason}`.trim()));
        }
      };
      this.addEventListener("connected", settle);
      this.addEventListener("closed", settle);
    });
  }

  /**
   * Gives a handle on the topic. The first one subscribes on the wire, the last one to leave unsubscribes; `since`, `last`
   * of later ones, and a `token` behind another one's, have no effect, and they are told `subscribed` with the position where
   * they came in.
   */
  subscribe(topic, options = {}) {
    if (typeof topic !== "string" || topic === "") {
      throw new TypeError(`a topic is a string: ${topic}`);
    }
    const hiddenAttention = checkLevel(options.hiddenAttention ?? this.#options.hiddenAttention);
    let feed = this.#feeds.get(topic);
    if (feed === undefined) {
      feed = new Feed(topic, this.#timers);
      this.#feeds.set(topic, feed);
    }
    // Not on the wire, and nobody has asked: it is new, or the gateway had joined it before a reconnect.
    const first = feed.handles.size === 0 && feed.state === "pending";
    if (first) {
      feed.last = options.last ?? 0;
      if (options.since) {
        feed.epoch = options.since.epoch;
        feed.offset = options.since.offset;
        feed.head = 0;
      }
    }
    if (options.token !== undefined) {
      feed.tokens ??= new TokenSource(options.token);
    }
    const handle = new Subscription(this, feed, (leaving) => this.#leave(feed, leaving));
    for (const [name, handler] of Object.entries(options)) {
      if (/^on[A-Z]/.test(name) && typeof handler === "function") {
        handle.addEventListener(name.slice(2).toLowerCase(), (event) => handler(event.detail));
      }
    }
    feed.handles.set(handle, hiddenAttention);
    if (feed.state === "subscribed") {
      this.#attend(feed);
      const { epoch, offset, online } = feed;
      const detail = { topic, epoch, offset, online: online ?? undefined, recovered: undefined };
      feed.newcomers.set(handle, detail);
      queueMicrotask(() => this.#greet(feed, handle));
    } else if (first && this.#state === "connected") {
      this.#subscribe(feed);
    }
    return handle;
  }

  /**
   * Resolves with the message's position, with the `key` of a value, which has none, with why only its author sees it, or with
   * `held`; rejects with a BarrageError.
   */
  async publish(topic, data, { messageId, priority, key, merge, ttlMs, timeoutMs } = {}) {
    if (JSON.stringify(data) === undefined) {
      throw new TypeError(`data is a JSON value, not ${typeof data}`);
    }
    const fields = { type: "publish", topic, messageId, priority, key, merge, ttlMs, data };
    const { epoch, offset, duplicate = false, shed, held, key: taken } = await this.#requests.answer(fields, { timeoutMs });
    if (held) {
      return { held, duplicate };
    }
    if (shed !== undefined) {
      return { shed, duplicate };
    }
    return taken === undefined ? { epoch, offset, duplicate } : { key: taken, duplicate };
  }

  /** Who is on the topic, as far as its namespace tells. */
  async presence(topic) {
    const answer = await this.#requests.answer({ type: "presence", topic });
    const { online = 0, users = null, members = null, truncated = false } = answer;
    return { online, users, members, truncated };
  }

  /** Messages of the topic's past, the oldest first. */
  async history(topic, { since, before, last, limit } = {}) {
    const answer = await this.#requests.answer({ type: "history", topic, since, before, last, limit });
    const { epoch = null, recovered, messages = [], more = false, text } = answer;
    const raws = lazily(() => cutAll(text));
    const made = messages.map((fields, i) => new Message(topic, epoch, fields, () => raws()[i]));
    return { epoch, recovered, messages: made, more };
  }

  /**
   * How much of the topic this client wants while its page is shown: full, digest or counts. Said again after each
   * reconnect. While the page is hidden the wish is only noted, which resolves at once.
   */
  async attention(topic, level) {
    checkLevel(level);
    const feed = this.#feeds.get(topic);
    if (!feed) {
      await this.#requests.answer({ type: "attention", topic, level });
      return;
    }
    if (!this.#isSpared(feed)) {
      await new Promise((resolve, reject) => this.#askAttention(feed, level, resolve, reject));
    }
    feed.attention = level;
    this.#attend(feed);
  }

  // --- connecting and losing ---

  #attempt() {
    const generation = this.#supersede();
    this.#attemptStartedAt = this.#timers.now();
    this.#nextAttemptAt = null;
    this.#enter("connecting", { attempt: this.#failures + 1 });
    if (generation !== this.#generation) {
      return; // a listener closed us
    }
    // One deadline for token, handshake and welcome: whichever hangs, the attempt is lost.
    this.#connectDeadline = this.#timers.deadline(this.#options.connectTimeoutMs, () => {
      this.#lose(CLOSE_ABNORMAL, "connect timeout");
    });
    this.#tokenIsFresh = false;
    this.#refusal = null;
    if (!this.#tokens.isDue(this.#timers.now())) {
      this.#openSocket();
      return;
    }
    this.#tokens.ask().then(
      (token) => {
        if (generation !== this.#generation) {
          return;
        }
        if (!token) {
          this.#finish(CLOSE_UNAUTHORIZED, "the token function gave none");
          return;
        }
        this.#tokenIsFresh = true;
        this.#openSocket();
      },
      (cause) => {
        if (generation === this.#generation) {
          this.#lose(CLOSE_ABNORMAL, "no token");
          this.#report(new BarrageError("token_failed", `the token function failed: ${cause?.message ?? cause}`));
        }
      },
    );
  }

  #openSocket() {
    const url = new URL(this.#url);
    if (this.#options.batch) {
      url.searchParams.set("batch", "1");
    }
    for (const { topic, epoch, offset } of this.#positionsForAddress()) {
      url.searchParams.append("since", `${topic}@${epoch}:${offset}`);
    }
    const { token } = this.#tokens;
    const protocols = [PROTOCOL];
    if (token !== undefined) {
      if (SUBPROTOCOL.test(token)) {
        protocols.push(`token.${token}`); // which, unlike a query, stays out of access logs
      } else {
        url.searchParams.set("token", token);
      }
    }
    let socket;
    try {
      socket = new this.#options.WebSocket(url.href, protocols);
    } catch (cause) {
      this.#finish(4400, cause.message);
      this.#report(new BarrageError("bad_request", `WebSocket refused to start: ${cause.message}`));
      return;
    }
    this.#socket = socket;
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === "string") {
        this.#receive(event.data);
      }
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) {
        this.#lose(event.code, event.reason);
      }
    };
    socket.onerror = () => {}; // always followed by close, which knows more; without a handler some libraries throw
  }

  /** The connection, or the attempt at one, is gone: decides between now, later and never. */
  #lose(code, reason) {
    const now = this.#timers.now();
    this.#forgetFailures(now);
    const goawayAt = this.#goawayAt;
    const wasConnected = this.#welcome !== null;
    this.#supersede();
    if (code === CLOSE_UNAUTHORIZED) {
      this.#tokens.drop();
      if (!wasConnected) {
        this.#refusals++;
      }
      if (!this.#tokens.renews || this.#refusals > 1) {
        this.#finish(code, reason);
        this.#report(this.#refusal ?? new BarrageError("unauthorized", "the gateway wants another token"));
        return;
      }
      if (!this.#tokenIsFresh) {
        this.#attempt(); // the token aged, which is nobody's failure; a fresh one that is refused backs off
        return;
      }
    } else if (FINAL_CLOSE_CODES.has(code)) {
      this.#finish(code, reason);
      if (this.#refusal) {
        this.#report(this.#refusal);
      }
      return;
    }
    let delay = retryAfterMs(reason) ?? (goawayAt === null ? null : Math.max(0, goawayAt - now));
    if (delay === null) {
      const { baseMs, capMs } = this.#options.backoff;
      delay = this.#random() * Math.min(capMs, baseMs * 2 ** this.#failures);
    } else {
      this.#notBefore = now + delay;
    }
    this.#failures++;
    this.#lastLoss = { code, reason };
    this.#wait(delay);
  }

  #forgetFailures(now) {
    if (this.#connectedAt !== null && now - this.#connectedAt >= STABLE_MS) {
      this.#failures = 0;
      this.#tokenIsFresh = false;
    }
  }

  #wait(delayMs) {
    const delay = Math.min(Math.round(delayMs), MAX_TIMEOUT_MS);
    this.#timers.clearTimeout(this.#attemptTimer);
    this.#attemptTimer = this.#timers.setTimeout(() => this.#attempt(), delay);
    this.#nextAttemptAt = this.#timers.now() + delay;
    this.#enter("waiting", { at: this.#nextAttemptAt, delayMs: delay, attempt: this.#failures, ...this.#lastLoss });
  }

  #finish(code, reason) {
    this.#supersede();
    this.#nextAttemptAt = null;
    this.#notBefore = -Infinity;
    this.#page.unwatch();
    this.#enter("closed", { code, reason });
  }

  /** Makes everything of the present connection or attempt void; calls no listener. The state is the caller's to change. */
  #supersede() {
    const generation = ++this.#generation;
    this.#heartbeat.stop();
    for (const timer of [this.#attemptTimer, this.#goawayTimer, this.#renewTimer]) {
      this.#timers.clearTimeout(timer);
    }
    this.#connectDeadline?.cancel();
    this.#attemptTimer = this.#goawayTimer = this.#renewTimer = null;
    this.#attentionRefused = false;
    this.#connectDeadline = null;
    this.#goawayAt = null;
    this.#connectedAt = null;
    const wasConnected = this.#welcome !== null;
    this.#welcome = null;
    this.#renewing = false;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      // On a dead network `close` comes only after minutes, so nobody waits for it.
      try {
        socket.close(1000);
      } catch (ignored) {
        // it was closed already
      }
    }
    this.#requests.failAll();
    for (const feed of this.#feeds.values()) {
      if (wasConnected && feed.handles.size === 0 && feed.state !== "subscribed") {
        this.#forget(feed); // the gateway had joined it once, but not this time
      } else {
        feed.enter("pending");
      }
    }
    return generation;
  }

  #enter(state, detail) {
    this.#state = state;
    emit(this, state, detail);
  }

  #report(error) {
    emit(this, "error", error);
  }

  // --- signs of the page: shown, hidden, frozen, online ---

  /** The world may have changed for the better: don't sit out a long backoff, don't trust an old connection. */
  #wake() {
    const now = this.#timers.now();
    if (this.#state === "connected") {
      if (now - this.#heartbeat.heardAt > LATE_MS) {
        this.#heartbeat.doubt();
      }
      return;
    }
    const stuck = this.#state === "connecting" && now - this.#attemptStartedAt > DOUBT_MS;
    if (this.#state !== "waiting" && !stuck) {
      return;
    }
    // A clock that was set back since the last attempt mustn't make the wait longer.
    const spaced = Math.min(this.#attemptStartedAt, now) + WAKE_SPACING_MS;
    const earliest = Math.max(this.#notBefore, spaced);
    if (earliest <= now) {
      this.#attempt();
    } else if (this.#nextAttemptAt === null || earliest < this.#nextAttemptAt) {
      this.#wait(earliest - now);
    }
  }

  /** The page is put away. A page with an open WebSocket can't come back from the back/forward cache, one without can. */
  #suspend() {
    if (this.#state === "closed") {
      return;
    }
    this.#supersede();
    this.#nextAttemptAt = null;
    this.#lastLoss = { code: 1000, reason: "page put away" };
    this.#enter("waiting", { at: null, delayMs: null, attempt: this.#failures, ...this.#lastLoss });
  }

  // --- frames ---

  #send(frame) {
    if (this.#socket?.readyState === 1) {
      this.#socket.send(JSON.stringify(frame));
    }
  }

  #receive(text) {
    this.#heartbeat.heard();
    let frame;
    try {
      frame = Object(JSON.parse(text));
    } catch (cause) {
      this.#report(new BarrageError("bad_frame", `not JSON: ${cause.message}`));
      return;
    }
    const feed = frame.topic === undefined ? undefined : this.#feeds.get(frame.topic);
    switch (frame.type) {
      case "message":
        this.#onMessage(feed, frame, lazily(() => cutData(text, 0).raw));
        break;
      case "messages": {
        const raws = lazily(() => cutAll(text));
        const generation = this.#generation;
        for (let i = 0; i < frame.messages.length && generation === this.#generation; i++) {
          this.#onMessage(feed, frame.messages[i], () => raws()[i]);
        }
        break;
      }
      case "gap":
        this.#onGap(feed, frame);
        break;
      case "value":
        this.#onValue(feed, frame, text);
        break;
      case "retract":
        this.#tellSubscribed(feed, "retract", { topic: frame.topic, epoch: feed?.epoch, offsets: frame.offsets });
        break;
      case "join":
      case "leave":
        this.#tellSubscribed(feed, frame.type, { topic: frame.topic, user: frame.user });
        break;
      case "online":
        if (feed) {
          this.#online(feed, frame.count, frame.truncated);
        }
        break;
      case "subscribed":
        this.#onSubscribed(feed, frame);
        break;
      case "unsubscribed":
        this.#onUnsubscribed(feed, frame);
        break;
      case "welcome":
        this.#onWelcome(frame);
        break;
      case "pong":
        this.#onPong(frame);
        break;
      case "goaway":
        this.#onGoaway(frame);
        break;
      case "error":
        this.#onError(feed, frame);
        break;
      case "authenticated":
      case "published":
      case "presence":
      case "history":
      case "attention":
        this.#requests.take(frame.id)?.done({ ...frame, text });
        break;
      default: // a later gateway may say more than this client knows
    }
  }

  #onWelcome(frame) {
    this.#connectDeadline?.cancel();
    this.#connectDeadline = null;
    this.#welcome = frame;
    this.#connectedAt = this.#timers.now();
    this.#notBefore = -Infinity;
    this.#heartbeat.start(frame.heartbeatMs);
    this.#refusals = 0;
    this.#scheduleRenewal(frame.expires);
    this.#state = "connected";
    // Subscriptions go first: a publish from a `connected` listener then comes back to its author.
    for (const feed of this.#feeds.values()) {
      this.#subscribe(feed);
    }
    this.#enter("connected", {
      connection: frame.connection,
      user: frame.user ?? null,
      heartbeatMs: frame.heartbeatMs,
    });
  }

  #onPong(frame) {
    this.#heartbeat.onPong();
    for (const [topic, count] of Object.entries(frame.online ?? {})) {
      const feed = this.#feeds.get(topic);
      if (feed) {
        this.#online(feed, count, feed.truncated);
      }
    }
  }

  #onGoaway(frame) {
    const { reason = "", reconnectAfterMs } = frame;
    const delay = reconnectAfterMs ?? this.#random() * this.#options.backoff.baseMs;
    this.#goawayAt = this.#timers.now() + delay;
    this.#timers.clearTimeout(this.#goawayTimer);
    this.#goawayTimer = this.#timers.setTimeout(() => {
      // We leave first, so the move is one step from connected to connecting.
      this.#forgetFailures(this.#timers.now());
      this.#attempt();
    }, delay);
    emit(this, "goaway", { reason, reconnectAfterMs: delay });
  }

  #onError(feed, frame) {
    const { id, topic, code, message = code } = frame;
    const error = new BarrageError(code, message, topic);
    const request = this.#requests.take(id);
    if (request) {
      request.fail(error);
    } else if (id !== undefined) {
      return; // nobody waits for it any more
    } else if (!this.#welcome) {
      this.#refusal = error; // a close follows, and decides whether the application has to know
    } else if (code === "token_expired" && topic === undefined && this.#tokens.renews) {
      this.#renew();
    } else if (code === "token_expired" && feed?.tokens?.renews) {
      this.#renewTopic(feed);
    } else if (feed) {
      this.#tell(feed, "error", error);
    } else {
      this.#report(error);
    }
  }

  // --- tokens ---

  /** Renews on the live connection, well before the gateway asks for it. */
  #scheduleRenewal(expiresSeconds) {
    this.#timers.clearTimeout(this.#renewTimer);
    const left = expiresSeconds * 1000 - this.#timers.now();
    if (!this.#tokens.renews || !(left > 0)) {
      return; // by the gateway's clock it may be different, and then it asks
    }
    const delay = left - Math.min(RENEWAL_MS, left * 0.2);
    this.#renewTimer = this.#timers.setTimeout(() => this.#renew(), delay);
  }

  async #renew() {
    if (this.#renewing) {
      return;
    }
    this.#renewing = true;
    const generation = this.#generation;
    try {
      const token = await this.#newToken(this.#tokens);
      if (generation !== this.#generation) {
        return;
      }
      const { expires } = await this.#requests.answer({ type: "auth", token });
      this.#renewing = false;
      this.#scheduleRenewal(expires);
    } catch (cause) {
      if (generation === this.#generation) {
        // The old token still holds, or the gateway closes with 4401; then a new one is asked for.
        this.#renewing = false;
        this.#tokens.drop();
        this.#report(new BarrageError("token_failed", `the token wasn't renewed: ${cause?.message ?? cause}`));
      }
    }
  }

  /** Renews the token that a subscription was made with. If the gateway has ended that meanwhile, this begins it again. */
  async #renewTopic(feed) {
    const generation = this.#generation;
    const isCurrent = () =>
      generation === this.#generation && this.#feeds.get(feed.topic) === feed && feed.state === "subscribed";
    try {
      const token = await this.#newToken(feed.tokens);
      if (isCurrent()) {
        await new Promise((resolve, reject) => this.#askRenewal(feed, token, resolve, reject));
      }
    } catch (cause) {
      if (isCurrent()) {
        feed.tokens.drop();
        this.#tell(feed, "error", tokenFailed(cause, feed.topic));
      }
    }
  }

  #askRenewal(feed, token, done, fail) {
    this.#ask(
      feed,
      token,
      () => {
        feed.asking = 0;
        done();
      },
      (error) => {
        if (feed.state === "subscribing") {
          this.#onSubscribeFailed(feed, error, true); // the gateway had ended it, so this was a new beginning
        } else {
          feed.asking = 0;
          fail(error);
        }
      },
    );
  }

  /** Rejects when there is none in time. */
  #newToken(tokens) {
    return new Promise((resolve, reject) => {
      const { requestTimeoutMs } = this.#options;
      const deadline = this.#timers.deadline(requestTimeoutMs, () => reject(new Error(`no token within ${requestTimeoutMs} ms`)));
      tokens.ask().then(
        (token) => {
          deadline.cancel();
          token ? resolve(token) : reject(new BarrageError("unauthorized", "the token function gave none"));
        },
        (cause) => {
          deadline.cancel();
          reject(cause);
        },
      );
    });
  }

  // --- subscriptions ---

  #subscribe(feed) {
    if (feed.isOwn || feed.handles.size === 0) {
      return; // only the gateway can, and tells
    }
    feed.enter("subscribing");
    if (feed.tokens?.isDue(this.#timers.now())) {
      this.#subscribeWithNewToken(feed);
    } else {
      this.#ask(feed, feed.tokens?.token, () => {}, (error) => this.#onSubscribeFailed(feed, error));
    }
  }

  #subscribeWithNewToken(feed) {
    const generation = this.#generation;
    const isCurrent = () =>
      generation === this.#generation && this.#feeds.get(feed.topic) === feed && feed.state === "subscribing";
    this.#newToken(feed.tokens).then(
      (token) => {
        if (isCurrent()) {
          this.#ask(feed, token, () => {}, (error) => this.#onSubscribeFailed(feed, error, true));
        }
      },
      (cause) => {
        if (!isCurrent()) {
          return;
        }
        const error = tokenFailed(cause, feed.topic);
        if (cause?.code === "unauthorized") {
          this.#end(feed, cause.code, cause.message, error);
          return;
        }
        this.#tell(feed, "error", error);
        if (isCurrent()) {
          this.#retrySubscribe(feed);
        }
      },
    );
  }

  #ask(feed, token, done, fail) {
    const fields = { type: "subscribe", topic: feed.topic, since: positionOf(feed), last: feed.last || undefined, token };
    feed.asking = this.#requests.ask(fields, done, fail, { waits: SUBSCRIBE_WAITS });
  }

  #onSubscribeFailed(feed, error, tokenIsFresh = false) {
    feed.asking = 0;
    if (error.code === "disconnected" || error.code === "not_connected") {
      return; // the next welcome asks again
    }
    if (TOKEN_ERRORS.has(error.code) && feed.tokens?.renews && !tokenIsFresh && feed.state === "subscribing") {
      feed.tokens.drop(); // it aged, which is nobody's failure
      this.#subscribe(feed);
      return;
    }
    // Whether we are on the topic, and where, is unknown, and only a new connection makes it known.
    const unknown = error.code === "timeout" || error.code === "already_subscribed";
    if (!unknown && !PASSING_ERRORS.has(error.code)) {
      this.#end(feed, error.code, error.message, error);
      return;
    }
    this.#tell(feed, "error", error);
    if (feed.state !== "subscribing") {
      return; // a listener left
    }
    if (unknown) {
      this.#connectedAt = null; // however long it lived, it wasn't a good one
      this.#lose(CLOSE_ABNORMAL, `subscribe ${error.code}`);
    } else {
      this.#retrySubscribe(feed);
    }
  }

  #retrySubscribe(feed) {
    const { baseMs, capMs } = this.#options.backoff;
    const delay = this.#random() * Math.min(capMs, baseMs * 2 ** feed.retries);
    feed.retryAfter(delay, () => this.#subscribe(feed));
  }

  #onSubscribed(known, frame) {
    let feed = known;
    if (!feed) {
      if (frame.id !== undefined) {
        return; // we left before the answer came
      }
      feed = new Feed(frame.topic, this.#timers);
      this.#feeds.set(frame.topic, feed);
    }
    if (frame.id !== undefined) {
      if (feed.asking !== frame.id) {
        return; // an answer to an older question
      }
      feed.joined = false;
    } else if (feed.state !== "subscribed") {
      if (this.#requests.has("unsubscribe", feed.topic)) {
        return; // news of the subscription that we left
      }
      feed.joined = true; // sooner than we could ask, so what we asked will be refused
    }
    const asked = frame.id !== undefined;
    if (asked || feed.state !== "subscribed") {
      this.#requests.take(feed.asking)?.done(frame);
      feed.asking = 0;
    }
    const { epoch, offset: head = 0 } = frame;
    const since = positionOf(feed);
    // Up to where nothing is missed. It was asked for from `since` all the same: a replay that was cut off comes again.
    const whole = since && !feed.exact ? { ...since, offset: Math.max(since.offset, feed.head) } : since;
    let recovered = frame.recovered;
    if (recovered === undefined && since && !asked) {
      recovered = epoch === since.epoch && head === since.offset; // a joined topic that nobody asked to recover
    }
    if (recovered === false && epoch === whole?.epoch && head === whole.offset && head > since.offset) {
      recovered = undefined; // nothing came since, so there was nothing to recover
    }
    if (!recovered) {
      const replayed = asked ? feed.last : 0;
      const seen = epoch === since?.epoch && since.offset <= head ? since.offset : 0;
      feed.epoch = epoch;
      // `last` brings messages from before the head, as many as there are.
      feed.offset = Math.max(seen, head - replayed, 0);
      feed.exact = replayed === 0;
    } else {
      feed.exact = true;
    }
    if (feed.state !== "subscribed" || epoch !== since?.epoch) {
      feed.values.clear(); // they come anew, and what doesn't was removed meanwhile
    }
    feed.head = head;
    feed.enter("subscribed");
    feed.online = frame.online ?? feed.online;
    if (!known) {
      emit(this, "joined", { topic: feed.topic });
    }
    const detail = { topic: feed.topic, epoch, offset: head, online: frame.online, recovered, since };
    this.#tell(feed, "subscribed", detail);
    if (recovered === false && feed.state === "subscribed") {
      const count = epoch === whole?.epoch && whole.offset < head ? head - whole.offset : undefined;
      this.#tell(feed, "lost", { topic: feed.topic, epoch, offset: head, since: whole, count });
    }
    this.#attend(feed);
  }

  /**
   * Where we are on topics that the gateway joins by itself, or may for all we know: only the address can ask to recover those.
   * Its own come first: nobody can ask for them in another way.
   */
  #positionsForAddress() {
    const rank = (feed) => (feed.isOwn ? 0 : feed.joined ? 1 : 2);
    return [...this.#feeds.values()]
      .filter((feed) => feed.joined !== false && feed.epoch !== null)
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, MAX_POSITIONS_IN_ADDRESS);
  }

  #onUnsubscribed(feed, frame) {
    if (frame.id !== undefined) {
      this.#requests.take(frame.id)?.done(frame);
    } else if (feed?.state === "subscribed") {
      if (feed.asking !== 0) {
        feed.enter("subscribing"); // the renewal of its token is on its way, and begins it again
      } else if (!feed.joined && (PASSING_ERRORS.has(frame.code) || (frame.code === "token_expired" && feed.tokens?.renews))) {
        this.#retrySubscribe(feed);
      } else {
        this.#end(feed, frame.code ?? "unsubscribed", frame.reason ?? "");
      }
    }
  }

  /** The gateway ended it, or will never begin it; an `error` says why before it is over. */
  #end(feed, code, reason, error = undefined) {
    // First of all: a listener that asks for the topic again gets a new beginning, not a part in this end.
    this.#forget(feed);
    const handles = [...feed.handles.keys()];
    if (error) {
      this.#tell(feed, "error", error);
    }
    for (const target of handles.length === 0 ? [this] : handles) {
      if (target === this || feed.handles.delete(target)) {
        emit(target, "unsubscribed", { topic: feed.topic, code, reason });
      }
    }
  }

  #leave(feed, handle) {
    if (!feed.handles.delete(handle)) {
      return;
    }
    const before = feed.state;
    if (before !== "unsubscribed" && feed.handles.size === 0 && !feed.joined) {
      this.#forget(feed);
      if (before !== "pending") {
        // With an id, so that the answer can't be taken for the end of a later subscription to the same topic.
        this.#requests.ask({ type: "unsubscribe", topic: feed.topic }, () => {}, () => {});
      }
    } else {
      this.#attend(feed);
    }
    emit(handle, "unsubscribed", { topic: feed.topic, code: "left", reason: "" });
  }

  /** Nothing that still comes for it is heard; the topic may have another feed from now on. */
  #forget(feed) {
    this.#requests.take(feed.asking);
    feed.enter("unsubscribed");
    this.#feeds.delete(feed.topic);
  }

  // --- attention ---

  /** Whether the topic is one that a hidden page is asked less for. Those that the gateway joined are its own business. */
  #isSpared(feed) {
    return this.#page.hidden && !feed.joined && feed.handles.size > 0;
  }

  #attendAll() {
    for (const feed of this.#feeds.values()) {
      this.#attend(feed);
    }
  }

  /** Asks for the level that is wanted of the topic now, unless that is what this connection asked for already. */
  #attend(feed) {
    if (this.#state !== "connected" || feed.state !== "subscribed" || this.#feeds.get(feed.topic) !== feed) {
      return;
    }
    const wanted = this.#isSpared(feed) ? feed.hiddenAttention : feed.attention;
    const more = ATTENTION_LEVELS.indexOf(wanted) - ATTENTION_LEVELS.indexOf(feed.level);
    if (more === 0 || (more < 0 && this.#attentionRefused)) {
      return;
    }
    const told = () => this.#tellSubscribed(feed, "attention", { topic: feed.topic, level: wanted });
    this.#askAttention(feed, wanted, told, (error) => {
      if (error.code === "disconnected" || error.code === "not_connected" || feed.state !== "subscribed") {
        return; // nobody gets less than they want of what they aren't on
      }
      if (more > 0) {
        // Nobody may be left with less than they want; a new connection begins with everything, and recovers.
        this.#lose(CLOSE_ABNORMAL, `attention ${error.code}`);
        return;
      }
      this.#attentionRefused = true;
      if (wanted === feed.attention) {
        this.#tell(feed, "error", error); // the application asked for it once, so it should know
      }
    });
  }

  #askAttention(feed, level, done, fail) {
    const before = feed.level;
    // From here on this is the level: the gateway takes and answers frames in order.
    feed.level = level;
    feed.attending = 0;
    let id = 0;
    id = this.#requests.ask({ type: "attention", topic: feed.topic, level }, done, (error) => {
      if (feed.attending === id && error.code !== "timeout") {
        feed.level = before; // after a timeout nobody knows, so the level asked for has to be revoked in any case
      }
      fail(error);
    });
    feed.attending = id;
  }

  #onMessage(feed, fields, raw) {
    if (feed?.state !== "subscribed") {
      return; // of a subscription that we left
    }
    const { offset } = fields;
    if (offset !== undefined) {
      if (offset <= feed.offset) {
        return; // seen
      }
      if (feed.exact && offset > feed.offset + 1) {
        const from = feed.offset + 1;
        this.#tell(feed, "gap", { topic: feed.topic, from, to: offset - 1, count: offset - from, reason: "missing" });
        if (feed.state !== "subscribed") {
          return;
        }
      }
      feed.offset = offset;
      feed.exact = true;
    }
    feed.hidden += fields.hidden ?? 0;
    this.#tell(feed, "message", new Message(feed.topic, feed.epoch, fields, raw));
  }

  #onGap(feed, { topic, from, to, count, reason }) {
    if (feed?.state !== "subscribed" || to <= feed.offset) {
      return;
    }
    if (to !== undefined) {
      feed.offset = to;
      feed.exact = true;
    }
    if (reason === "hidden") {
      feed.hidden += count ?? 0;
    }
    this.#tell(feed, "gap", { topic, from, to, count: count ?? to - from + 1, reason });
  }

  #onValue(feed, { topic, key, data }, text) {
    if (feed?.state !== "subscribed") {
      return;
    }
    if (data === null) {
      feed.values.delete(key);
    } else {
      feed.values.set(key, data);
    }
    this.#tell(feed, "value", {
      topic,
      key,
      data,
      get raw() {
        return cutData(text, 0).raw;
      },
    });
  }

  #online(feed, count, truncated = false) {
    feed.online = count;
    feed.truncated = truncated;
    this.#tell(feed, "online", { topic: feed.topic, count, truncated });
  }

  #tellSubscribed(feed, type, detail) {
    if (feed?.state === "subscribed") {
      this.#tell(feed, type, detail);
    }
  }

  /** Tells the topic's handles; what nobody has a handle on (the gateway joined it) is told by the client itself. */
  #tell(feed, type, detail) {
    if (feed.handles.size === 0 && feed.joined) {
      emit(this, type, detail);
      return;
    }
    // Those of now: a listener may add handles, to which this hasn't happened, and take some away.
    for (const handle of [...feed.handles.keys()]) {
      this.#greet(feed, handle);
      if (feed.handles.has(handle)) {
        emit(handle, type, detail);
      }
    }
  }

  /** Tells a handle that came to a live subscription where it came in, before anything else. */
  #greet(feed, handle) {
    const detail = feed.newcomers.get(handle);
    if (feed.newcomers.delete(handle) && handle.state === "subscribed") {
      emit(handle, "subscribed", detail);
    }
  }
}

/** The options that are set: one that is there, but undefined, is no wish. */
function given(options) {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

/** What a subscription is told when its token function has failed. */
function tokenFailed(cause, topic) {
  return new BarrageError("token_failed", `the topic's token wasn't renewed: ${cause?.message ?? cause}`, topic);
}

/** A listener that throws is reported by the platform as uncaught, and the next one is called. */
function emit(target, type, detail) {
  target.dispatchEvent(new CustomEvent(type, { detail }));
}

function checkLevel(level) {
  if (!ATTENTION_LEVELS.includes(level)) {
    throw new TypeError(`an attention is full, digest or counts: ${level}`);
  }
  return level;
}

function positionOf(feed) {
  return feed.epoch === null ? undefined : { epoch: feed.epoch, offset: feed.offset };
}

function webSocketUrl(url) {
  const absolute = new URL(url, globalThis.location?.href);
  absolute.protocol = { "http:": "ws:", "https:": "wss:" }[absolute.protocol] ?? absolute.protocol;
  if (!/^wss?:$/.test(absolute.protocol)) {
    throw new TypeError(`a WebSocket address is ws, wss, http or https: ${url}`);
  }
  absolute.hash = "";
  for (const own of ["topic", "since", "token", "batch"]) {
    if (absolute.searchParams.has(own)) {
      throw new TypeError(`"${own}" belongs in the client's calls and options, not in its address`);
    }
  }
  return absolute.href;
}

function retryAfterMs(reason) {
  const hint = /\bretryAfterMs=(\d+)/.exec(reason ?? "");
  return hint ? Number(hint[1]) : null;
}

/** When a JWT expires, in seconds since 1970. NaN if it doesn't say, or isn't one: tokens are the gateway's business. */
function tokenExpiry(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return Number(JSON.parse(atob(payload)).exp);
  } catch (ignored) {
    return NaN;
  }
}

function lazily(make) {
  let made;
  return () => (made ??= make());
}

/** The text of `data` in each element of the frame's `messages`. */
function cutAll(text) {
  const key = '"messages":[';
  const raws = [];
  let at = text.indexOf(key) + key.length;
  while (text[at] === "{") {
    const { raw, end } = cutData(text, at);
    raws.push(raw);
    at = text[end] === "," ? end + 1 : end;
  }
  return raws;
}

/**
 * Cuts the text of `data` out of the object that begins at `start`, and tells where the object ends. Relies on what the
 * protocol promises: valid JSON, `data` the last member, no white space outside it.
 */
function cutData(text, start) {
  const key = '"data":';
  let depth = 0;
  let from = -1;
  for (let i = start; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        if (depth === 1 && from < 0 && text.startsWith(key, i)) {
          // A string that a colon follows is a key, never a value.
          from = i + key.length;
          i = from - 1;
        } else {
          i = stringEnd(text, i);
        }
        break;
      case "{":
      case "[":
        depth++;
        break;
      case "}":
      case "]":
        if (--depth === 0) {
          return { raw: from < 0 ? undefined : text.slice(from, i), end: i + 1 };
        }
        break;
      default:
    }
  }
  return { raw: undefined, end: text.length };
}

function stringEnd(text, start) {
  let i = start + 1;
  while (text[i] !== '"') {
    i += text[i] === "\\" ? 2 : 1;
  }
  return i;
}
