/** The browser client of the Barrage push gateway, protocol `barrage.v1`. */

/** A topic's place in its numbering. Same epoch and next offset: nothing was lost in between. */
export interface Position {
  epoch: string;
  offset: number;
}

export type Priority = "low" | "normal" | "high" | "critical";

/**
 * How much of a topic one wants. `full`: everything. `digest`: messages of priority `high` and `critical`, counts of hidden
 * ones, `online`. `counts`: only the counts of hidden messages and `online`.
 */
export type Attention = "full" | "digest" | "counts";

/** How a value's publishes become one: the last, the greatest number, the sum of numbers, the entries with the best scores. */
export type Merge = "last" | "max" | "sum" | "top";

export interface Message<T = unknown> {
  readonly topic: string;
  readonly epoch: string;
  /** Absent on a line that the room's budget shed: only its author gets it back. */
  readonly offset?: number;
  /** When the gateway accepted it, in ms since 1970 by the gateway's clock. */
  readonly time?: number;
  readonly sender?: string;
  readonly priority: Priority;
  /** Messages that the room's budget hid from everybody since the last message. */
  readonly hidden: number;
  readonly data: T;
  /** `data` exactly as published: for numbers beyond doubles and for signatures. */
  readonly raw: string;
}

export interface SubscribedDetail {
  readonly topic: string;
  readonly epoch: string;
  /** The topic's head at that moment: live messages start after it. */
  readonly offset: number;
  readonly online?: number;
  /**
   * true: every message after `since` follows. false: messages may have been lost, show your history anew. Undefined if
   * there was nothing to recover.
   */
  readonly recovered?: boolean;
  /** The position that was asked to be recovered from. */
  readonly since?: Position;
}

/** What came after `since` doesn't follow: show the page's data anew, from a `history` of the topic or from your backend. */
export interface LostDetail {
  readonly topic: string;
  /** Where the topic stands now; live messages come after it. */
  readonly epoch: string;
  readonly offset: number;
  /** The last position that was seen. */
  readonly since: Position;
  /** How many were missed. Unknown if the numbering began anew, as after a restart of a gateway that keeps it in memory. */
  readonly count?: number;
}

export interface GapDetail {
  readonly topic: string;
  /** First and last missing offset; absent for messages that never had one (reason `hidden`). */
  readonly from?: number;
  readonly to?: number;
  readonly count: number;
  /**
   * `attention`: left out while the page was hidden, or less was asked for. `hidden`: by the room's budget, from everybody.
   * `missing` is the client's own: offsets that the gateway neither sent nor explained.
   */
  readonly reason: "behind" | "expired" | "retracted" | "attention" | "hidden" | "missing" | (string & {});
}

export interface ValueDetail<T = unknown> {
  readonly topic: string;
  readonly key: string;
  /** Null if the key was removed. */
  readonly data: T;
  readonly raw: string;
}

/** These messages aren't to be shown any more: take them off the screen. */
export interface RetractDetail {
  readonly topic: string;
  readonly epoch: string;
  readonly offsets: readonly number[];
}

/** `join`: the first of a user's connections came. `leave`: the last one went. Only where the namespace tells members. */
export interface UserDetail {
  readonly topic: string;
  readonly user: string;
}

/** From now on this much comes. Back on `full`, ask for a `presence` list anew: who came and went meanwhile wasn't told. */
export interface AttentionDetail {
  readonly topic: string;
  readonly level: Attention;
}

export interface OnlineDetail {
  readonly topic: string;
  readonly count: number;
  /** Whether the topic has too many users for each to be told of: no `join` and `leave` come until this is false again. */
  readonly truncated: boolean;
}

export interface UnsubscribedDetail {
  readonly topic: string;
  /** `left` after unsubscribe(), else why the gateway ended it. */
  readonly code: string;
  readonly reason: string;
}

export interface SubscriptionEventMap<T = unknown> {
  message: CustomEvent<Message<T>>;
  /** Now on the topic; after every reconnect again, and when a live topic's epoch changes. */
  subscribed: CustomEvent<SubscribedDetail>;
  /** Comes after a `subscribed` that says `recovered: false`. */
  lost: CustomEvent<LostDetail>;
  gap: CustomEvent<GapDetail>;
  /**
   * The gateway refused. If that is final, the handle's `state` is `unsubscribed`, the event of that name follows, and subscribe()
   * begins anew; else the client asks again.
   */
  error: CustomEvent<BarrageError>;
  /** The end of this handle. */
  unsubscribed: CustomEvent<UnsubscribedDetail>;
  value: CustomEvent<ValueDetail>;
  retract: CustomEvent<RetractDetail>;
  join: CustomEvent<UserDetail>;
  leave: CustomEvent<UserDetail>;
  online: CustomEvent<OnlineDetail>;
  /** The page was hidden or shown, and the gateway has heard of it. */
  attention: CustomEvent<AttentionDetail>;
}

/**
 * A JWT, or a function that gives one. The function is asked when there is none that still holds (its `exp` tells), when the
 * gateway refused the last one, and when it has to be renewed; not for each reconnect. Nothing (null, "") means that there is
 * none to be had; a rejection is told as `token_failed`, and it is asked again later.
 *
 * A JWT goes as a subprotocol of the handshake, which no access log has. A token of your own making that has other characters
 * than letters, digits and ``!#$%&'*+-.^_`|~`` can't, and goes into the address.
 */
export type Token = string | (() => string | null | undefined | Promise<string | null | undefined>);

export interface SubscribeOptions<T = unknown> {
  /**
   * Recover from here, e.g. from the position that a server-rendered page was made at. On a topic that the gateway joins this
   * counts if it is said before connect().
   */
  since?: Position;
  /** The topic's own token, where its namespace wants one that the connection's doesn't stand for. */
  token?: Token;
  /** Replay this many messages on joining, as far as the gateway keeps them. Not where the gateway joins: ask for the `history`. */
  last?: number;
  /**
   * How much of the topic is wanted while the page is hidden. Default: the client's `hiddenAttention`. Of several handles on
   * a topic, the one that wants most is heard.
   */
  hiddenAttention?: Attention;
  onMessage?(message: Message<T>): void;
  onSubscribed?(detail: SubscribedDetail): void;
  onLost?(detail: LostDetail): void;
  onGap?(detail: GapDetail): void;
  onError?(error: BarrageError): void;
  onUnsubscribed?(detail: UnsubscribedDetail): void;
  onValue?(detail: ValueDetail): void;
  onRetract?(detail: RetractDetail): void;
  onJoin?(detail: UserDetail): void;
  onLeave?(detail: UserDetail): void;
  onOnline?(detail: OnlineDetail): void;
  onAttention?(detail: AttentionDetail): void;
}

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void } | null;

/** The application's handle on a topic. Handles on one topic share one subscription on the wire. */
export interface Subscription<T = unknown> extends EventTarget {
  readonly topic: string;
  /** pending: waits for a connection or a retry. unsubscribed is final; subscribe again for a new handle. */
  readonly state: "pending" | "subscribing" | "subscribed" | "unsubscribed";
  readonly position: Position | null;
  /** Null if the gateway doesn't tell. */
  readonly online: number | null;
  /**
   * The topic's values by key, as told since it was last subscribed; removed keys aren't in it. Each look gives a copy, which
   * doesn't change by itself: the `value` event says when to look again.
   */
  readonly values: ReadonlyMap<string, unknown>;
  /**
   * Messages that the room's budget hid from everybody since this client subscribed to the topic: exact while connected;
   * what was hidden while it wasn't is nobody's to tell.
   */
  readonly hidden: number;
  /** Who is on the topic, as far as its namespace tells. */
  presence(): Promise<Presence>;
  /** Messages of its past, the oldest first. */
  history(options?: HistoryOptions): Promise<History<T>>;
  unsubscribe(): void;

  addEventListener<K extends keyof SubscriptionEventMap<T>>(
    type: K,
    listener: Listener<SubscriptionEventMap<T>[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof SubscriptionEventMap<T>>(
    type: K,
    listener: Listener<SubscriptionEventMap<T>[K]>,
    options?: boolean | EventListenerOptions,
  ): void;
}

/**
 * A failed request or refused subscription. `code` is the gateway's (`not_permitted`, `refused`, `rate_limited`, `too_large`,
 * `overloaded`, ...), with its `message`, or the client's own:
 *
 * - `not_connected`: never sent. Send it again when you like.
 * - `disconnected`, `timeout`: sent, outcome unknown. Repeat a publish with the same `messageId`; see PublishOptions.
 * - `closed`: ready() will not come.
 * - `token_failed`: a token function failed, or gave what the gateway doesn't take in place of the present token.
 * - `bad_frame`: only in `error` events, as `token_failed`.
 */
export class BarrageError extends Error {
  constructor(code: string, message?: string, topic?: string);
  readonly code: string;
  readonly topic?: string;
}

export interface WaitingDetail {
  /** When the next attempt starts, in ms since 1970. Null in a page that is put away: it comes back when it is shown. */
  readonly at: number | null;
  readonly delayMs: number | null;
  /** Failed attempts in a row. */
  readonly attempt: number;
  /** The close code and reason that ended the connection or the attempt. */
  readonly code: number;
  readonly reason: string;
}

export interface BarrageEventMap {
  connecting: CustomEvent<{ readonly attempt: number }>;
  connected: CustomEvent<{ readonly connection: string; readonly user: string | null; readonly heartbeatMs: number }>;
  waiting: CustomEvent<WaitingDetail>;
  /**
   * Closed for good, by close() or by a close code that forbids coming back. An `error` follows if the gateway said why.
   * connect() starts afresh.
   */
  closed: CustomEvent<{ readonly code: number; readonly reason: string }>;
  /** The gateway drains; the client moves after this time by itself. */
  goaway: CustomEvent<{ readonly reason: string; readonly reconnectAfterMs: number }>;
  /**
   * The gateway put the connection on a topic: `$user:...`, one that the token names, or one that the backend chose. What comes
   * there is told to handles on it, which may be there already or be made in this listener. Without any, this client gets the
   * events of a subscription itself.
   */
  joined: CustomEvent<{ readonly topic: string }>;
  /** An error that belongs to no request and no handle. */
  error: CustomEvent<BarrageError>;
}

/** What comes on topics that the gateway joined and nobody has a handle on. */
export type JoinedEventMap = Omit<SubscriptionEventMap, "error">;

export interface PublishOptions {
  priority?: Priority;
  /**
   * Makes a repeat of the same publish return the first one's position. An id is its user's: of a client without a user it is its
   * connection's, so a repeat on the next connection is published once more.
   */
  messageId?: string;
  /** Makes it a value: it has no position, is merged with others of the same key, and told to all as `value`. */
  key?: string;
  /** How. Needs `key`. */
  merge?: Merge;
  /** For so long it is worth sending (a message), or kept (a value). */
  ttlMs?: number;
  timeoutMs?: number;
}

/**
 * Where the message stands; or, without a position: with `key`, that a value was taken; with `shed`, why only its author sees it;
 * with `held`, that somebody looks at it first, and it may come as a message later.
 */
export interface PublishResult extends Partial<Position> {
  key?: string;
  shed?: string;
  held?: true;
  /** A repeat of a `messageId`: this is the first one's answer. */
  duplicate: boolean;
}

export interface Presence<Info = unknown> {
  /** Subscriptions. */
  online: number;
  /** Different users; null where they aren't counted. */
  users: number | null;
  /** Null where they aren't told. */
  members: { user: string; connections: number; info?: Info }[] | null;
  /** Whether there are more members than these. */
  truncated: boolean;
}

/** At most one of `since`, `before` and `last`; without any of them, it begins with the oldest that is kept. */
export interface HistoryOptions {
  /** Begin behind this position. */
  since?: Position;
  /** End before this position: the newest ones up to there. */
  before?: Position;
  /** So many of the newest. */
  last?: number;
  /** At most so many. Default 50. */
  limit?: number;
}

export interface History<T = unknown> {
  /** Null if the topic has never had a message, as far as the gateway knows. */
  epoch: string | null;
  /** Whether these join on to the position that was named; undefined if none was. */
  recovered?: boolean;
  messages: Message<T>[];
  /** Whether others may follow; with `before` or `last`, whether others may come before. */
  more: boolean;
}

/** What the client needs of a WebSocket class: the browser's, or `ws` in Node. */
export type WebSocketClass = new (url: string, protocols: string[]) => {
  readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  // Deliberately loose: the platforms' event types differ.
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
};

export interface BarrageOptions {
  /** Who this client is. */
  token?: Token;
  /** Asks for several messages in one frame. Default false. */
  batch?: boolean;
  /**
   * How much of its topics a page wants while it is hidden. Default "counts"; "full" makes no difference between hidden and
   * shown. Topics that the gateway joined are always told in full.
   */
  hiddenAttention?: Attention;
  /** For how long the page has to be hidden first. Default 5,000 ms. */
  hiddenAfterMs?: number;
  /** Before the n-th attempt in a row: random(0, min(capMs, baseMs * 2^n)). Default 1,000 and 30,000 ms. */
  backoff?: { baseMs?: number; capMs?: number };
  /** For token, handshake and welcome together. Default 15,000 ms. */
  connectTimeoutMs?: number;
  /** Default 10,000 ms. A subscription is waited for up to four times as long, as long as the connection speaks. */
  requestTimeoutMs?: number;
  /** Default 10,000 ms; at most 5,000 when there is a reason to doubt the connection. */
  pongTimeoutMs?: number;
  /** Default globalThis.WebSocket. */
  WebSocket?: WebSocketClass;
  /** Whose `online`, `pageshow`, ... events are heard. Default globalThis.window, in workers globalThis.self. */
  window?: Pick<EventTarget, "addEventListener" | "removeEventListener"> & { document?: unknown };
  /** For tests. */
  timers?: { now(): number; setTimeout(callback: () => void, ms: number): any; clearTimeout(timer: any): void };
  /** For tests: gives 0 <= x < 1. */
  random?(): number;
}

export class Barrage extends EventTarget {
  /**
   * @param url ws, wss, http or https, absolute or relative to the page. Its query is kept (`?user=u7`), but `topic`,
   *     `since`, `token` and `batch` belong in calls and options.
   */
  constructor(url: string | URL, options?: BarrageOptions);

  readonly state: "connecting" | "connected" | "waiting" | "closed";
  /** While waiting: when the next attempt starts, in ms since 1970. */
  readonly nextAttemptAt: number | null;
  readonly connection: string | null;
  readonly user: string | null;

  /** Starts. While waiting: makes the next attempt now. */
  connect(): void;
  /** Ends the connection. Subscriptions and their positions stay, for another connect(). */
  close(): void;
  /** Resolves once connected; rejects with `closed` if the client closes instead. */
  ready(): Promise<void>;

  /**
   * Gives a handle on the topic, before or after connect(). The first handle subscribes on the wire, the last one to leave
   * unsubscribes; `since` and `last` of later ones, and a `token` behind another one's, have no effect, and they are told
   * `subscribed` with the position where they came in.
   */
  subscribe<T = unknown>(topic: string, options?: SubscribeOptions<T>): Subscription<T>;
  publish(topic: string, data: unknown, options?: PublishOptions): Promise<PublishResult>;
  presence(topic: string): Promise<Presence>;
  history<T = unknown>(topic: string, options?: HistoryOptions): Promise<History<T>>;
  /**
   * How much of the topic this client wants while the page is shown, and at most while it is hidden. Said again after each
   * reconnect. In a page that is hidden it is noted for when it is shown, and resolves at once.
   */
  attention(topic: string, level: Attention): Promise<void>;

  addEventListener<K extends keyof (BarrageEventMap & JoinedEventMap)>(
    type: K,
    listener: Listener<(BarrageEventMap & JoinedEventMap)[K]>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof (BarrageEventMap & JoinedEventMap)>(
    type: K,
    listener: Listener<(BarrageEventMap & JoinedEventMap)[K]>,
    options?: boolean | EventListenerOptions,
  ): void;
}
