/**
 * The live demo: a danmaku stage on one topic of this gateway. Comments fly in lanes on a canvas, gifts are elements above
 * it, and everything that comes is also in the list `#log`, for people and programs that don't watch canvases.
 *
 * `?room=xyz` makes the topic `demo:xyz`, `?user=mia` names the user, `?hot=1` makes the room a hot one: `hot:xyz`, whose
 * budget decides what is shown, and which this page can flood with a crowd of its own.
 */

import { Barrage } from "/client/barrage.js";
import { Crowd } from "/demo/crowd.js";

const MAX_TEXT = 140;
const LOG_SIZE = 200;
const LOG_FLUSH_MS = 200;
const ANNOUNCE_MS = 4_000;
const QUIET_MS = 45_000;
/** Up to so many are told by name when they come in. */
const SMALL_ROOM = 20;
const CAME_MS = 4_000;
const PEOPLE_LISTED = 100;

const GIFTS = { rocket: "🚀", heart: "❤️", star: "🌟", flower: "🌸" };
const NAMES = [
  "amber brave calm clever cosmic dapper gentle golden happy jolly lucky mellow merry nimble quiet sunny swift witty".split(" "),
  "badger crane dolphin falcon fox gecko heron koala lynx magpie otter panda puffin robin seal sparrow tiger wren".split(" "),
];

const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const count = new Intl.NumberFormat("en");

// --- who, and where ---

const query = new URLSearchParams(location.search);
const problems = [];

function roomFromQuery() {
  const room = query.get("room") ?? "stage";
  if (/^[A-Za-z0-9._~=:-]{1,195}$/.test(room)) {
    return room;
  }
  problems.push("That isn't a room's name, so this is the main stage.");
  return "stage";
}

function userFromQuery() {
  const user = query.get("user");
  if (user !== null && /^[!-~]{1,128}$/.test(user) && !/[/?#%@,*]/.test(user)) {
    return user;
  }
  if (user !== null) {
    problems.push("That isn't a user's name, so you are a guest.");
  }
  const [adjective, animal] = NAMES.map((words) => words[Math.floor(Math.random() * words.length)]);
  const guest = `${adjective}-${animal}-${Math.floor(Math.random() * 90 + 10)}`;
  try {
    // This window's, so that a reload is the same guest and a second window another.
    const known = sessionStorage.getItem("barrage.guest");
    sessionStorage.setItem("barrage.guest", known ?? guest);
    return known ?? guest;
  } catch (ignored) {
    return guest; // no storage allowed
  }
}

const room = roomFromQuery();
const user = userFromQuery();
let hot = query.get("hot") === "1";

const topic = () => `${hot ? "hot" : "demo"}:${room}`;

/**
 * What a message's data means here. Whatever isn't a comment of ours is shown as it was published, so that a bare
 * `"data":"hello"` flies too.
 */
function commentOf({ data, raw, sender = "", priority }) {
  const fields = data !== null && typeof data === "object" && !Array.isArray(data) ? data : {};
  const gift = fields.kind === "gift";
  const known = typeof fields.text === "string" || gift;
  const text = known ? worded(fields.text) : typeof data === "string" ? data : raw;
  return {
    text: plain(text),
    mode: fields.mode === "top" || fields.mode === "bottom" ? fields.mode : "scroll",
    color: /^#[0-9a-f]{6}$/i.test(worded(fields.color)) ? fields.color.toLowerCase() : "#ffffff",
    gift: gift ? worded(fields.gift) : null,
    faint: priority === "low",
    sender,
    own: sender !== "" && sender === barrage.user,
  };
}

/** Others' data is anything: an object may even throw when it is made a string of. */
function worded(field) {
  return typeof field === "string" ? field : "";
}

/** One line without control characters or overrides of the writing direction, which could garble its neighbours. */
function plain(text) {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
  const points = [...line];
  return points.length > MAX_TEXT ? `${points.slice(0, MAX_TEXT - 1).join("")}…` : line;
}

// --- flight: lanes and canvas ---

const LANE_GAP = 24;
/** The slowest that a comment flies for the sake of the one before it, as a part of its natural speed. */
const SLOWEST = 0.6;
const REST_MS = 4_500;
const PATIENCE_MS = 2_500;
const QUEUE_SIZE = 60;
const SPRITES = 300;

/**
 * Comments in the air. All would cross the stage in the same time, so a long one is faster; it gets a lane only where it
 * doesn't catch up with the one before it, if need be by flying a little slower. Those that find no lane wait, and are given
 * up after a while, except one's own.
 */
class Flight {
  /** Comments that were given up: the stage was full, or the page hidden. */
  unflown = 0;
  #canvas;
  #context;
  #flyers = [];
  #queue = [];
  #sparks = [];
  #sprites = new Map();
  #lanes = { scroll: [], top: [], bottom: [] };
  #frame = 0;
  #last = 0;
  #scale = 1;
  #width = 0;
  #height = 0;
  #size = 0;
  #dense = false;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resize()).observe(canvas);
    document.fonts.addEventListener("loadingdone", () => this.#sprites.clear());
    this.#resize();
  }

  get flying() {
    return this.#flyers.length;
  }

  /** Smaller and faster, for a room where twenty comments come in a second. */
  set dense(dense) {
    this.#dense = dense;
    this.#resize();
  }

  offer(comment) {
    if (comment.text === "") {
      return;
    }
    if (document.hidden || (this.#queue.length >= QUEUE_SIZE && !comment.own)) {
      this.unflown++;
      return;
    }
    const waiting = { comment, until: performance.now() + PATIENCE_MS };
    if (comment.own) {
      this.#queue.unshift(waiting);
    } else {
      this.#queue.push(waiting);
    }
    this.#wake();
  }

  /** Sparks for a gift, from where its capsule appears. */
  celebrate() {
    const colors = ["#ffc861", "#ff9d5c", "#ff7a6b", "#fff6e0"];
    for (let i = 0; i < 90 && this.#sparks.length < 360; i++) {
      const angle = -Math.PI * (0.08 + 0.62 * Math.random());
      const speed = 160 + 520 * Math.random();
      this.#sparks.push({
        x: 60,
        y: this.#height * 0.84,
        vx: Math.cos(angle) * speed,
        vy: Math.sin(angle) * speed,
        size: 1.5 + 2.5 * Math.random(),
        color: colors[i % colors.length],
        life: 1,
      });
    }
    this.#wake();
  }

  clear() {
    this.unflown += this.#queue.length;
    this.#queue = [];
    this.#flyers = [];
    this.#sparks = [];
    this.#layLanes();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (clientWidth === 0) {
      return; // not shown
    }
    // More than two pixels per pixel costs a phone its frames, and nobody reads a moving line that closely.
    this.#scale = Math.min(2, devicePixelRatio || 1);
    this.#width = clientWidth;
    this.#height = clientHeight;
    this.#canvas.width = Math.round(clientWidth * this.#scale);
    this.#canvas.height = Math.round(clientHeight * this.#scale);
    // By the screen, not the window: who resizes a window keeps the comments that are in the air.
    const normal = Math.round(Math.min(26, Math.max(18, 12 + Math.max(screen.width, screen.height) / 110)));
    const size = this.#dense ? Math.round(normal * 0.8) : normal;
    if (size !== this.#size) {
      this.#size = size;
      this.#flyers = [];
    }
    this.#sprites.clear();
    this.#layLanes();
    this.#wake();
  }

  /** A few lanes at the top and bottom are for comments that rest there: one at rest and one in flight never cross. */
  #layLanes() {
    const step = Math.round(this.#size * 1.56);
    const top = document.querySelector("header").offsetHeight;
    const total = Math.max(3, Math.floor((this.#height - top - 10) / step));
    const resting = total >= 9 ? 2 : 1;
    const before = this.#lanes;
    const lay = (lanes, first, way, old) =>
      Array.from({ length: lanes }, (_, i) => ({ y: top + (first + way * i) * step, last: null, ...keep(old[i]) }));
    // Whatever is in the air keeps its lane's number, as long as there is one.
    const keep = (old) => (this.#flyers.includes(old?.last) ? { last: old.last } : {});
    this.#lanes = {
      top: lay(resting, 0, 1, before.top),
      scroll: lay(total - 2 * resting, resting, 1, before.scroll),
      bottom: lay(resting, total - 1, -1, before.bottom),
    };
    this.#flyers = this.#flyers.filter((flyer) => {
      const lane = this.#lanes[flyer.comment.mode][flyer.lane];
      flyer.y = lane?.y;
      return lane !== undefined;
    });
  }

  #wake() {
    if (this.#frame === 0 && !document.hidden) {
      this.#frame = requestAnimationFrame((now) => this.#draw(now));
    }
  }

  #draw(now) {
    this.#frame = 0;
    const context = this.#context;
    context.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    this.#flyers = this.#flyers.filter((flyer) => now < flyer.gone);
    this.#launch(now);
    for (const flyer of this.#flyers) {
      const { sprite } = flyer;
      const presence = flyer.speed ? 1 : Math.min(1, (flyer.gone - now) / 300, 0.01 + (now - flyer.start) / 150);
      context.globalAlpha = flyer.comment.faint ? 0.5 * presence : presence;
      context.drawImage(sprite.canvas, leftOf(flyer, now), flyer.y, sprite.width, sprite.height);
    }
    this.#drawSparks(Math.min(0.05, (now - this.#last) / 1000));
    context.globalAlpha = 1;
    this.#last = now;
    if (this.#flyers.length + this.#queue.length + this.#sparks.length > 0) {
      this.#wake();
    }
  }

  #launch(now) {
    const full = {};
    this.#queue = this.#queue.filter(({ comment, until }) => {
      // In order: if the first can't go, nobody shorter overtakes it. Sprites are made only for those whose turn it is.
      if (!full[comment.mode]) {
        const sprite = this.#spriteOf(comment);
        const flyer = { comment, sprite, start: now, lane: 0, y: 0, speed: 0, from: 0, gone: 0 };
        if (comment.mode === "scroll" ? this.#fly(flyer, now) : this.#rest(flyer, now)) {
          this.#flyers.push(flyer);
          return false;
        }
        full[comment.mode] = true;
      }
      if (now > until && !comment.own) {
        this.unflown++;
        return false;
      }
      return true;
    });
  }

  #entered(flyer, now) {
    return !flyer || leftOf(flyer, now) + flyer.sprite.width + LANE_GAP <= this.#width;
  }

  #fly(flyer, now) {
    const { width } = flyer.sprite;
    const natural = (this.#width + width) / ((6 + this.#width / 400) * (this.#dense ? 0.65 : 1));
    let best = -1;
    let bestSpeed = SLOWEST * natural;
    let bestRoom = 0;
    this.#lanes.scroll.forEach(({ last }, i) => {
      if (!this.#entered(last, now)) {
        return;
      }
      const tail = last ? leftOf(last, now) + last.sprite.width : 0;
      // At this speed our head is just behind the tail before us when that leaves the stage.
      const speed = tail > 0 ? Math.min(natural, (last.speed * (this.#width - LANE_GAP)) / tail) : natural;
      // The fastest lane, then the emptiest; of several empty ones, any.
      const room = tail > 0 ? this.#width - tail : this.#width + Math.random();
      if (speed > bestSpeed || (speed === bestSpeed && room > bestRoom)) {
        best = i;
        bestSpeed = speed;
        bestRoom = room;
      }
    });
    if (best < 0) {
      return false;
    }
    const lane = this.#lanes.scroll[best];
    lane.last = flyer;
    const gone = now + ((this.#width + width) / bestSpeed) * 1000;
    Object.assign(flyer, { lane: best, y: lane.y, speed: bestSpeed, from: this.#width, gone });
    return true;
  }

  #rest(flyer, now) {
    const lanes = this.#lanes[flyer.comment.mode];
    const free = lanes.findIndex(({ last }) => !last || last.gone <= now);
    if (free < 0) {
      return false;
    }
    lanes[free].last = flyer;
    const from = (this.#width - flyer.sprite.width) / 2;
    Object.assign(flyer, { lane: free, y: lanes[free].y, from, gone: now + REST_MS });
    return true;
  }

  #drawSparks(seconds) {
    const context = this.#context;
    this.#sparks = this.#sparks.filter((spark) => {
      spark.vy += 620 * seconds;
      spark.x += spark.vx * seconds;
      spark.y += spark.vy * seconds;
      spark.life -= seconds / 1.5;
      context.globalAlpha = Math.max(0, spark.life);
      context.fillStyle = spark.color;
      context.beginPath();
      context.arc(spark.x, spark.y, spark.size, 0, 7);
      context.fill();
      return spark.life > 0;
    });
  }

  /** A comment drawn once; text layout in each frame would cost more than all the rest. Repeated lines share a sprite. */
  #spriteOf({ text, color, own, mode }) {
    const key = `${color}${own ? "!" : " "}${mode === "scroll" ? "" : "="}${text}`;
    let sprite = this.#sprites.get(key);
    if (!sprite) {
      if (this.#sprites.size >= SPRITES) {
        this.#sprites.delete(this.#sprites.keys().next().value);
      }
      sprite = this.#paint(text, color, own, mode === "scroll" ? 1_600 : this.#width - 24);
    }
    this.#sprites.delete(key);
    this.#sprites.set(key, sprite); // the last is the youngest
    return sprite;
  }

  #paint(text, color, own, maxWidth) {
    const size = this.#size;
    const font = `700 ${size}px ${getComputedStyle(document.body).fontFamily}`;
    const padding = own ? Math.round(size * 0.5) : 4;
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    context.font = font;
    const textWidth = Math.min(context.measureText(text).width, maxWidth - 2 * padding);
    const width = Math.ceil(textWidth + 2 * padding);
    const height = Math.round(size * 1.46);
    canvas.width = Math.ceil(width * this.#scale);
    canvas.height = Math.ceil(height * this.#scale);
    context.scale(this.#scale, this.#scale);
    if (own) {
      context.beginPath();
      context.roundRect(1, 1, width - 2, height - 2, height / 2);
      context.fillStyle = "#0b0e1399";
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = "#ffb84d";
      context.stroke();
    }
    context.font = font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = size / 6;
    // A dark colour on this dark stage would be nothing but its outline.
    context.strokeStyle = luminance(color) < 0.16 ? "#ffffffd9" : "#05080cb3";
    context.strokeText(text, padding, height * 0.52, textWidth);
    context.fillStyle = color;
    context.fillText(text, padding, height * 0.52, textWidth);
    return { canvas, width, height };
  }
}

function leftOf(flyer, now) {
  return flyer.from - (flyer.speed * (now - flyer.start)) / 1000;
}

function luminance(color) {
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(color.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// --- curtain: the moving background ---

/** Folds of light, computed at a few thousand pixels and enlarged by the browser: a background shouldn't need a fan. */
class Curtain {
  #context;
  #image;
  #columns = 128;
  #rows = 48;
  #last = -Infinity;
  #heat = 0;

  constructor(canvas) {
    canvas.width = this.#columns;
    canvas.height = this.#rows;
    this.#context = canvas.getContext("2d");
    this.#image = this.#context.createImageData(this.#columns, this.#rows);
    const step = (now) => {
      if (now - this.#last > 40) {
        this.#last = now;
        this.#draw(now / 1000);
      }
      if (!calm.matches) {
        requestAnimationFrame(step);
      }
    };
    this.redraw = () => calm.matches && requestAnimationFrame(step);
    calm.addEventListener("change", () => calm.matches || requestAnimationFrame(step));
    requestAnimationFrame(step);
  }

  #draw(t) {
    const { data } = this.#image;
    this.#heat += ((hot ? 0.8 : 0) - this.#heat) * (calm.matches ? 1 : 0.05);
    for (let x = 0, u = 0; x < this.#columns; x++, u = x / this.#columns) {
      const drift = Math.sin(u * 3.1 + t * 0.11) * 0.6 + Math.sin(u * 5.3 - t * 0.07) * 0.4;
      const fold = 0.5 + 0.5 * Math.sin(u * 34 + drift * 7 + t * 0.23);
      const fine = 0.5 + 0.5 * Math.sin(u * 91 - drift * 11 - t * 0.31);
      const sway = 0.5 + 0.5 * Math.sin(u * 4.2 - t * 0.13 + drift);
      const light = (0.3 + 0.55 * fold * fold + 0.15 * fine) * (0.35 + 0.65 * sway);
      const hem = 0.62 + 0.16 * Math.sin(u * 7 + t * 0.17) + 0.06 * fold;
      const warmth = Math.min(1, Math.max(0, Math.sin(u * 2.4 + t * 0.05 + 0.6)) ** 3 + this.#heat);
      for (let y = 0; y < this.#rows; y++) {
        const v = y / this.#rows;
        const fall = v < hem ? 0.45 + 0.55 * (v / hem) : Math.exp(-(v - hem) * 9);
        const glow = light * fall;
        const edge = Math.exp(-(((v - hem) * 9) ** 2)) * light;
        const at = 4 * (y * this.#columns + x);
        data[at] = 9 + glow * (14 + 70 * warmth) + edge * (26 + 120 * warmth);
        data[at + 1] = 14 + glow * (86 - 34 * warmth) + edge * (66 - 8 * warmth);
        data[at + 2] = 22 + glow * (88 - 18 * warmth) + edge * (44 - 30 * warmth);
        data[at + 3] = 255;
      }
    }
    this.#context.putImageData(this.#image, 0, 0);
  }
}

// --- gifts ---

const GIFT_MS = 5_000;
/** While others wait. */
const SHORT_GIFT_MS = 2_500;
const GIFTS_AT_ONCE = 3;

/** Capsules above the stage. The same gift of the same sender counts up instead of queueing; none is ever given up. */
class GiftShow {
  #place;
  #shown = [];
  #queue = [];

  constructor(place) {
    this.#place = place;
  }

  offer({ sender, gift, text }) {
    const key = `${sender}\n${gift}\n${text}`;
    const known = [...this.#shown, ...this.#queue].find((other) => other.key === key);
    if (known) {
      known.times++;
      if (known.element) {
        this.#update(known);
      }
      return;
    }
    this.#queue.push({ key, sender, gift, text, times: 1, element: null, timer: 0 });
    this.#next();
  }

  clear() {
    for (const show of this.#shown.splice(0)) {
      clearTimeout(show.timer);
    }
    this.#queue = [];
    this.#place.replaceChildren();
  }

  #next() {
    while (this.#shown.length < GIFTS_AT_ONCE && this.#queue.length > 0) {
      const show = this.#queue.shift();
      const part = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });
      show.element = part("div", "gift", "");
      const words = part("div", "words", "");
      words.append(
        part("b", "", show.sender || "someone"),
        part("span", "", show.text || `sent a ${Object.hasOwn(GIFTS, show.gift) ? show.gift : "gift"}`),
      );
      show.element.append(part("div", "icon", iconOf(show.gift)), words, part("div", "times", ""));
      this.#place.append(show.element);
      this.#shown.push(show);
      this.#update(show);
    }
  }

  #update(show) {
    const times = show.element.querySelector(".times");
    times.textContent = show.times > 1 ? `×${show.times}` : "";
    times.classList.remove("pop");
    void times.offsetWidth; // starts the animation again
    times.classList.add("pop");
    clearTimeout(show.timer);
    show.timer = setTimeout(() => {
      this.#shown = this.#shown.filter((other) => other !== show);
      show.element.classList.add("leaving");
      setTimeout(() => {
        show.element.remove();
        this.#next();
      }, 350);
    }, this.#queue.length > 0 ? SHORT_GIFT_MS : GIFT_MS);
  }
}

/**
 * Whether gifts vanish. Each page numbers the gifts that it sends, so that every other page knows of one that it didn't see.
 */
class GiftBook {
  /** Of a hot room that this page came to: what it sends, and what it knows of the other pages. */
  #page = "";
  #given = 0;
  #last = Promise.resolve();
  #others = 0;
  #pages = new Map();

  constructor() {
    this.clear();
  }

  clear() {
    this.#page = Math.random().toString(36).slice(2, 10);
    this.#given = 0;
    this.#others = 0;
    this.#pages.clear();
  }

  /** Gifts that the gateway took since this page came in, as far as it can know. */
  get sent() {
    let sent = this.#given + this.#others;
    for (const [page, { first, last }] of this.#pages) {
      sent += page === this.#page ? 0 : last - first + 1;
    }
    return sent;
  }

  get seen() {
    let seen = this.#others;
    for (const { numbers } of this.#pages.values()) {
      seen += numbers.size;
    }
    return seen;
  }

  /** Publishes a gift under the next number; one at a time, so that a refused one's number goes to the next. */
  give(publish) {
    const given = this.#last.then(async () => {
      const page = this.#page;
      const number = this.#given + 1;
      await publish({ page, number });
      this.#took(page, number);
    });
    this.#last = given.catch(() => {});
    return given;
  }

  /** Told by the answer, or by the gift itself: an answer may get lost, and a gift be taken all the same. */
  #took(page, number) {
    if (page === this.#page) {
      this.#given = Math.max(this.#given, number);
    }
  }

  saw({ page, number }) {
    if (typeof page !== "string" || !Number.isSafeInteger(number)) {
      this.#others++; // somebody's who keeps no book
      return;
    }
    this.#took(page, number);
    const known = this.#pages.get(page);
    if (!known) {
      this.#pages.set(page, { first: number, last: number, numbers: new Set([number]) });
      return;
    }
    known.first = Math.min(known.first, number);
    known.last = Math.max(known.last, number);
    known.numbers.add(number);
  }
}

// --- list and announcements ---

/** The last messages as a list, updated a few times a second however many come. */
class Log {
  #list;
  #fresh = [];
  #timer = 0;

  constructor(list) {
    this.#list = list;
  }

  add(comment, message) {
    this.#fresh.push([comment, message]);
    if (this.#fresh.length > LOG_SIZE) {
      this.#fresh.shift();
    }
    this.#timer ||= setTimeout(() => this.#flush(), LOG_FLUSH_MS);
  }

  clear() {
    this.#fresh = [];
    this.#list.replaceChildren();
  }

  #flush() {
    this.#timer = 0;
    const list = this.#list;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    list.append(...this.#fresh.splice(0).map(([comment, message]) => this.#item(comment, message)));
    while (list.children.length > LOG_SIZE) {
      list.firstElementChild.remove();
    }
    if (atEnd) {
      list.scrollTop = list.scrollHeight;
    }
  }

  #item(comment, { offset }) {
    const item = document.createElement("li");
    item.dataset.kind = comment.gift === null ? "comment" : "gift";
    if (offset !== undefined) {
      item.dataset.offset = offset;
    }
    if (comment.faint) {
      item.dataset.priority = "low";
    }
    if (comment.sender) {
      const sender = document.createElement("b");
      sender.textContent = comment.sender;
      item.append(sender, " ");
    }
    const text = document.createElement("bdi");
    text.className = "text";
    text.textContent = said(comment);
    if (luminance(comment.color) >= 0.16) {
      text.style.color = comment.color;
    }
    item.append(text);
    return item;
  }
}

function said({ text, gift }) {
  return gift === null ? text : `${iconOf(gift)} ${text}`.trim();
}

function iconOf(gift) {
  return Object.hasOwn(GIFTS, gift) ? GIFTS[gift] : "🎁";
}

/** Tells a screen reader the latest line, at most once in a while, with how many there were. */
class Announcer {
  #place;
  #latest = null;
  #others = 0;
  #timer = 0;

  constructor(place) {
    this.#place = place;
  }

  add(comment) {
    this.#others += this.#latest ? 1 : 0;
    this.#latest = comment;
    if (!this.#timer) {
      this.#tell();
    }
  }

  #tell() {
    this.#timer = 0;
    if (!this.#latest) {
      return;
    }
    const line = `${this.#latest.sender || "someone"}: ${said(this.#latest)}`;
    this.#place.textContent = this.#others > 0 ? `${line} (and ${this.#others} more)` : line;
    this.#latest = null;
    this.#others = 0;
    this.#timer = setTimeout(() => this.#tell(), ANNOUNCE_MS);
  }
}

// --- figures ---

const figures = { received: 0, missed: 0, roundTrip: null };
/** When the messages of the last two seconds came, and how many the gateway said to be hidden. */
let arrivals = [];

function showFigures() {
  const now = performance.now();
  arrivals = arrivals.filter(({ at }) => at > now - 2_000);
  const rate = arrivals.reduce((sum, { messages }) => sum + messages, 0) / 2;
  const hiddenRate = arrivals.reduce((sum, { hidden }) => sum + hidden, 0) / 2;
  if (hot) {
    const likes = subscription.values.get("likes");
    say("offered", count.format(Math.round(rate + hiddenRate)));
    say("shown", count.format(Math.round(rate)));
    say("hidden", count.format(subscription.hidden));
    say("gifts-sent", count.format(book.sent));
    say("gifts-seen", count.format(book.seen));
    $("gifts-figure").toggleAttribute("data-whole", book.sent > 0 && book.sent === book.seen);
    $("likes-figure").hidden = typeof likes !== "number";
    say("likes", typeof likes === "number" ? count.format(likes) : "");
    say("hot-missed", count.format(figures.missed));
    $("hot-missed-figure").hidden = figures.missed === 0;
  }
  say("received", count.format(figures.received));
  say("rate", rate > 0 && rate < 10 ? rate.toFixed(1) : count.format(Math.round(rate)));
  say("flying", count.format(flight.flying));
  say("unflown", count.format(flight.unflown));
  say("missed", count.format(figures.missed));
  $("missed-figure").hidden = figures.missed === 0;
  say("round-trip", figures.roundTrip === null ? "–" : `${figures.roundTrip} ms`);
  $("empty").hidden = !quiet || barrage.state !== "connected" || view === "list";
}

function say(id, text) {
  if ($(id).textContent !== text) {
    $(id).textContent = text;
  }
}

function arrived(messages, hidden) {
  figures.received += messages;
  const at = performance.now();
  const last = arrivals.at(-1);
  if (last && at - last.at < 50) {
    last.messages += messages;
    last.hidden += hidden;
  } else {
    arrivals.push({ at, messages, hidden });
  }
  if (hot && hidden > 0) {
    flash.add(hidden);
  }
}

const FLASH_EVERY_MS = 1_000;
const FLASH_MS = 1_600;

/** "+37 hidden" beside the stage, at most once a second. */
class Flash {
  #place;
  #sum = 0;
  #timer = 0;
  #hideTimer = 0;

  constructor(place) {
    this.#place = place;
  }

  add(hidden) {
    this.#sum += hidden;
    this.#timer ||= setTimeout(() => this.#show(), FLASH_EVERY_MS);
  }

  clear() {
    this.#sum = 0;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#place.hidden = true;
  }

  #show() {
    const place = this.#place;
    place.textContent = `+${count.format(this.#sum)} hidden`;
    this.#sum = 0;
    this.#timer = 0;
    place.hidden = true;
    void place.offsetWidth; // starts the animation again
    place.hidden = false;
    clearTimeout(this.#hideTimer);
    this.#hideTimer = setTimeout(() => (place.hidden = true), FLASH_MS);
  }
}

/** Own publishes and own messages, by position, whichever is known first: a round trip needs no second clock. */
const sentAt = new Map();
const returnedAt = new Map();

function roundTrip(position) {
  const sent = sentAt.get(position);
  const returned = returnedAt.get(position);
  if (sent !== undefined && returned !== undefined) {
    figures.roundTrip = Math.max(1, Math.round(returned - sent));
    sentAt.clear();
    returnedAt.clear();
  }
}

// --- state ---

let dropped = false;

function showState() {
  const { state, nextAttemptAt } = barrage;
  const left = nextAttemptAt === null ? 0 : Math.max(0, Math.ceil((nextAttemptAt - Date.now()) / 1000));
  const words = {
    connecting: dropped ? "Reconnecting" : "Connecting",
    connected: "Live",
    waiting: left > 0 ? `Next try in ${left} s` : "Reconnecting",
    closed: "Closed",
  };
  if ($("state").dataset.state !== state) {
    $("state").dataset.state = state;
  }
  say("state-text", words[state]);
  $("stage").toggleAttribute("data-dimmed", state !== "connected" && dropped);
  $("away").hidden = !dropped || state === "connected";
  if (state === "waiting") {
    say("away-title", left > 0 ? `Trying again in ${left} s` : "Trying again");
    const why = navigator.onLine === false ? "This device seems to be offline." : `The connection dropped (${loss}).`;
    say("away-text", `${why} What you missed follows if the gateway keeps it.`);
  } else if (state === "connecting") {
    say("away-title", "Trying again");
  } else if (state === "closed") {
    say("away-title", "The gateway closed this connection");
    say("away-text", `It said ${loss}, which means not to come back by itself.`);
  }
  say("retry", state === "closed" ? "Connect again" : "Try now");
  if (state !== "connecting") {
    // Without the countdown, which nobody wants read out each second.
    say("state-said", { connected: "Connected", waiting: "Connection lost, reconnecting", closed: "Connection closed" }[state]);
  }
}

let loss = "";
let noticeTimer = 0;

function notify(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($("notice").hidden = true), 4_500);
}

function showOnline(online) {
  $("online").hidden = online === null;
  if (online !== null && $("online").dataset.count !== String(online)) {
    $("online").dataset.count = online;
    const number = Object.assign(document.createElement("b"), { textContent: count.format(online) });
    const words = Object.assign(document.createElement("span"), { textContent: " watching" });
    $("online").replaceChildren(number, words);
  }
}

/** The names behind the number, in a room whose namespace tells them. */
class People {
  #here = new Map();
  /** Whether these are only some of them. */
  #truncated = false;
  /** Whether there are too many for each to be told of. A list may be too long where this is false. */
  #tooMany = false;
  #timer = 0;

  /** Asks anew: after each reconnect, and when a room becomes too large or small enough again. */
  async look() {
    const asked = subscription;
    try {
      const { members, truncated } = await asked.presence();
      if (asked === subscription) {
        this.#truncated = truncated;
        this.#here = new Map((members ?? []).map(({ user, connections }) => [user, connections]));
        this.#draw();
      }
    } catch (ignored) {
      // without a connection; the next `subscribed` asks again
    }
  }

  lookIfChanged(tooMany) {
    if (tooMany !== this.#tooMany) {
      this.#tooMany = tooMany;
      this.look();
    }
  }

  came(name) {
    this.#here.set(name, 1);
    this.#draw();
    if (name !== user && this.#here.size <= SMALL_ROOM) {
      $("came").textContent = `${name} came in`;
      $("came").hidden = false;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => ($("came").hidden = true), CAME_MS);
    }
  }

  left(name) {
    this.#here.delete(name);
    this.#draw();
  }

  clear() {
    this.#here.clear();
    this.#truncated = false;
    this.#tooMany = false;
    $("came").hidden = true;
    this.#draw();
  }

  #draw() {
    const names = [...this.#here.keys()].sort((a, b) => (b === user) - (a === user) || a.localeCompare(b));
    const lines = names.slice(0, PEOPLE_LISTED).map((name) => {
      const own = name === user;
      return Object.assign(document.createElement("li"), {
        textContent: own ? `${name} (you)` : name,
        className: own ? "own" : "",
      });
    });
    $("people-list").replaceChildren(...lines);
    $("people-more").hidden = !this.#truncated && names.length <= PEOPLE_LISTED;
    $("online").disabled = names.length === 0;
    if (names.length === 0) {
      $("people").hidePopover?.();
    }
  }
}

// --- view: flight, or a calm list ---

let view = "flight";

function show(next) {
  view = next;
  $("stage").dataset.view = view;
  $("view").setAttribute("aria-pressed", String(view === "list"));
  if (view === "list") {
    flight.clear();
    $("log").scrollTop = $("log").scrollHeight;
  }
}

// --- all together ---

const socketUrl = new URL("/ws", location.href);
socketUrl.searchParams.set("user", user);

const barrage = new Barrage(socketUrl);
const flight = new Flight($("flight"));
const gifts = new GiftShow($("gifts"));
const log = new Log($("log"));
const announcer = new Announcer($("announcer"));
const flash = new Flash($("hidden-flash"));
const book = new GiftBook();
const people = new People();
const curtain = new Curtain($("curtain"));

let quiet = true;
let quietTimer = 0;
let subscribedOnce = false;
let subscription = null;

const listeners = {
  onMessage(message) {
    const comment = commentOf(message);
    arrived(1, message.hidden);
    if (comment.own && message.offset !== undefined) {
      const position = `${message.epoch}:${message.offset}`;
      returnedAt.set(position, performance.now());
      roundTrip(position);
    }
    figures.missed += hot ? 0 : message.hidden;
    quiet = false;
    clearTimeout(quietTimer);
    quietTimer = setTimeout(() => (quiet = true), QUIET_MS);
    log.add(comment, message);
    announcer.add(comment);
    if (comment.gift !== null) {
      book.saw(message.data);
      gifts.offer(comment);
      if (view === "flight") {
        flight.celebrate();
      }
    } else if (view === "flight") {
      flight.offer(comment);
    }
  },
  onSubscribed({ offset, recovered, since }) {
    showOnline(subscription.online);
    if (recovered === true && offset > since.offset) {
      notify(`Back, with all ${count.format(offset - since.offset)} that you missed.`);
    } else if (recovered === false && subscribedOnce) {
      notify("Back. What was said meanwhile isn't kept here.");
    }
    subscribedOnce = true;
    people.look();
  },
  onAttention({ level }) {
    if (level === "full") {
      people.look(); // who came and went while the page was hidden wasn't told
    }
  },
  onGap({ count: missing, reason }) {
    if (reason === "behind") {
      people.look();
    }
    if (hot && reason === "hidden") {
      arrived(0, missing);
    } else {
      figures.missed += missing;
    }
  },
  onOnline({ count: online, truncated }) {
    showOnline(online);
    people.lookIfChanged(truncated);
  },
  onJoin({ user: name }) {
    people.came(name);
  },
  onLeave({ user: name }) {
    people.left(name);
  },
  onUnsubscribed({ code, reason }) {
    if (code !== "left") {
      notify(`The gateway doesn't let you listen here: ${reason || code}`);
    }
  },
};

/** Goes to the topic, from whichever this page was on, with nothing left of that. */
function enter() {
  subscription?.unsubscribe();
  subscribedOnce = false;
  quiet = true;
  Object.assign(figures, { received: 0, missed: 0, roundTrip: null });
  arrivals = [];
  sentAt.clear();
  returnedAt.clear();
  for (const part of [flight, gifts, log, flash, book, people]) {
    part.clear();
  }
  flight.unflown = 0;
  flight.dense = hot;
  curtain.redraw();
  showOnline(null);
  $("topic").textContent = topic();
  $("curl").textContent = curl();
  document.body.toggleAttribute("data-hot", hot);
  $("hot").setAttribute("aria-pressed", String(hot));
  say("hot-text", hot ? "Hot room" : "Make it a hot room");
  $("figures").hidden = hot;
  $("hot-figures").hidden = !hot;
  $("flood").hidden = !hot;
  subscription = barrage.subscribe(topic(), listeners);
  showFigures();
}

for (const state of ["connecting", "connected", "waiting", "closed"]) {
  barrage.addEventListener(state, ({ detail }) => {
    if (state === "connected") {
      dropped = false;
    } else if (state === "waiting" || state === "closed") {
      dropped = true;
      loss = detail.reason ? `${detail.code}, ${detail.reason}` : String(detail.code);
      showOnline(null);
    }
    showState();
  });
}

/** A gift mustn't be hidden: in a hot room it has the priority that is never, and a number that shows it. */
async function publish(data) {
  if (!hot || data.kind !== "gift") {
    return barrage.publish(topic(), data);
  }
  let published;
  await book.give(async (numbered) => {
    published = await barrage.publish(topic(), { ...data, ...numbered }, { priority: "critical" });
  });
  return published;
}

async function send(data) {
  const start = performance.now();
  try {
    const { epoch, offset } = await publish(data);
    if (offset !== undefined) {
      const position = `${epoch}:${offset}`;
      sentAt.set(position, start);
      roundTrip(position);
    }
    return true;
  } catch (error) {
    const why = {
      not_connected: "there is no connection right now.",
      disconnected: "the connection broke; it may have arrived.",
      timeout: "the gateway didn't answer; it may have arrived.",
      rate_limited: "a little slower, please.",
    };
    notify(`Not sent: ${why[error.code] ?? error.message}`);
    return false;
  }
}

const form = $("composer");
const box = $("comment");

async function sendFromBox(fields) {
  const text = box.value.trim();
  box.value = "";
  const data = { text, mode: form.elements.mode.value, color: form.elements.colour.value, ...fields };
  if (!(await send(data)) && box.value === "") {
    box.value = text; // nobody likes to write a line twice
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (box.value.trim() !== "") {
    sendFromBox({ kind: "comment" });
  }
  box.focus();
});

$("gift").addEventListener("click", () => sendFromBox({ kind: "gift", gift: "rocket" }));

for (const opener of document.querySelectorAll("[data-say]")) {
  opener.addEventListener("click", () => {
    send({ text: opener.dataset.say, mode: "scroll", color: form.elements.colour.value, kind: "comment" });
    box.focus();
  });
}

$("retry").addEventListener("click", () => barrage.connect());
$("view").addEventListener("click", () => show(view === "list" ? "flight" : "list"));
calm.addEventListener("change", () => show(calm.matches ? "list" : "flight"));

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea)$/i.test(event.target.tagName)) {
    event.preventDefault();
    box.focus();
  }
});

// --- the hot room ---

const crowd = new Crowd(new URL("/ws", location.href), {
  give: (publish) => book.give(publish).catch((error) => notify(`A gift wasn't sent: ${error.message}`)),
  onEnd(reason) {
    const why = { time: "The flood stopped by itself after 60 s.", hidden: "The flood stopped when this page was hidden." };
    if (why[reason]) {
      notify(why[reason]);
    }
    showFlood();
  },
});

let floodedBefore = false;

function showFlood() {
  $("flood").setAttribute("aria-pressed", String(crowd.flooding));
  say("flood-text", crowd.flooding ? "Flooding" : floodedBefore ? "Flood again" : "Flood it");
  say("flood-left", crowd.flooding ? `${crowd.secondsLeft} s left` : "");
}

$("hot").addEventListener("click", () => {
  crowd.stop("left");
  hot = !hot;
  const url = new URL(location.href);
  if (hot) {
    url.searchParams.set("hot", "1");
  } else {
    url.searchParams.delete("hot");
  }
  history.replaceState(null, "", url);
  enter();
});

$("flood").addEventListener("click", () => {
  if (crowd.flooding) {
    crowd.stop("asked");
  } else {
    crowd.flood(topic());
    floodedBefore = true;
    showFlood();
  }
});

// --- the terminal ---

function curl() {
  return (
    "curl http://localhost:8081/v1/publish -H 'content-type: application/json' " +
    `-d '{"topic":"${topic()}","data":{"text":"hello"}}'`
  );
}

$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(curl());
    $("copy").textContent = "Copied";
    setTimeout(() => ($("copy").textContent = "Copy"), 1_500);
  } catch (ignored) {
    getSelection().selectAllChildren($("curl")); // no clipboard on plain http from elsewhere
  }
});

document.fonts.load("700 24px Emoji", "🚀").catch(() => {}); // there may be none on this device
enter();
box.placeholder = innerWidth < 600 ? "Say something" : `Say something as ${user}`;
show(calm.matches ? "list" : "flight");
if (matchMedia("(hover: hover)").matches) {
  box.focus();
}
if (problems.length > 0) {
  notify(problems.join(" "));
}
setInterval(() => {
  showState();
  showFigures();
  if (crowd.flooding) {
    showFlood();
  }
}, 250);
showState();
barrage.connect();
