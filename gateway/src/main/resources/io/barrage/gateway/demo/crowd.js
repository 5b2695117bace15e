/**
 * The crowd of the demo's hot room: a dozen fans with a connection each, who together say far more than anyone can read.
 * They publish from this page and listen to nothing.
 */

import { Barrage } from "/client/barrage.js";

/** Who they are, and how many comments a second each has to say: 300 together, most of them from a few. */
const FANS = {
  mika_77: 72,
  "joao.pt": 60,
  xiaoming88: 46,
  lena_k: 34,
  "sora-chan": 26,
  priya_s: 20,
  diego10: 15,
  "anya~~": 10,
  kofi_b: 7,
  yuna_0x: 5,
  "omar-z": 3,
  nils_w: 2,
};

const LINES = [
  "here we go!!", "hahahaha", "no way", "that drop 🔥", "encore!", "so good", "first time here", "louder!", "GOOSEBUMPS",
  "best part", "again again", "10/10", "who is on drums?", "hi from Lisbon", "hi from Accra", "the lights ✨", "chills",
  "前方高能", "哈哈哈哈哈", "来了来了", "太好听了吧", "泪目", "这一段封神", "233333", "合影留念", "弹幕护体", "全体起立",
  "きたあああ", "かわいい", "8888888", "神回だ", "鳥肌たった", "アンコール!", "最高すぎる", "wwwww",
  "대박", "ㅋㅋㅋㅋㅋ", "소름 돋았어", "앵콜!", "사랑해요 💛", "미쳤다 진짜",
  "que temazo", "olé!", "desde Bogotá 🇨🇴", "otra, otra", "lindo demais", "arrasou", "manda salve",
  "trop fort", "magnifique", "encore une fois !", "wie geil", "Gänsehaut", "nochmal!", "браво!", "ещё раз", "мурашки",
  "वाह वाह", "एक और बार", "کمال ہے", "يا سلام", "ما شاء الله", "harika!", "bravissimi", "hvilken lyd",
];

const COLORS = ["#ffb84d", "#ff7a6b", "#ff9ad5", "#7cc8ff", "#6ee7b0"];
const GIFTS = ["rocket", "heart", "star", "flower"];

const FLOOD_MS = 60_000;
const TURN_MS = 100;
const GIFT_EVERY_MS = 2_000;
const LIKES_EVERY_MS = 250;
const LIKES_PER_SECOND = 4_000;
/** Publishes of one fan that wait for their answer: a gateway that is slower than the crowd slows the crowd down. */
const MAX_UNANSWERED = 60;

const any = (list) => list[Math.floor(Math.random() * list.length)];

export class Crowd {
  #url;
  #give;
  #onEnd;
  #fans = [];
  #timers = [];
  #until = 0;
  #lastGift = Promise.resolve();

  /**
   * @param url address of the gateway, without a user
   * @param give gives a number to a function that publishes a gift; returns a promise that is never rejected
   * @param onEnd told why the flood ended
   */
  constructor(url, { give, onEnd }) {
    this.#url = url;
    this.#give = give;
    this.#onEnd = onEnd;
    // A flood that nobody sees is nobody's demo.
    document.addEventListener("visibilitychange", () => document.hidden && this.stop("hidden"));
    addEventListener("pagehide", () => this.stop("hidden"));
  }

  get flooding() {
    return this.#fans.length > 0;
  }

  /** Until it stops by itself. */
  get secondsLeft() {
    return Math.max(0, Math.ceil((this.#until - performance.now()) / 1000));
  }

  flood(topic) {
    if (this.flooding || document.hidden) {
      return;
    }
    this.#until = performance.now() + FLOOD_MS;
    this.#fans = Object.entries(FANS).map(([name, rate]) => {
      const url = new URL(this.#url);
      url.searchParams.set("user", name);
      const client = new Barrage(url);
      client.connect();
      return { client, rate, owed: Math.random(), unanswered: 0 };
    });
    let last = performance.now();
    this.#every(TURN_MS, () => {
      const now = performance.now();
      // A page that stood still doesn't make up for it.
      const seconds = Math.min(now - last, 3 * TURN_MS) / 1000;
      last = now;
      for (const fan of this.#fans) {
        this.#speak(fan, topic, seconds);
      }
      if (now >= this.#until) {
        this.stop("time");
      }
    });
    this.#every(GIFT_EVERY_MS, () => this.#giveGift(topic));
    this.#like(topic);
  }

  stop(reason) {
    if (!this.flooding) {
      return;
    }
    for (const timer of this.#timers.splice(0)) {
      clearInterval(timer);
    }
    const fans = this.#fans.splice(0);
    // Whether a gift that is on its way was taken is still worth knowing.
    this.#lastGift.finally(() => fans.forEach(({ client }) => client.close()));
    this.#onEnd(reason);
  }

  #every(ms, action) {
    const timer = setInterval(action, ms);
    this.#timers.push(timer);
    return timer;
  }

  #speak(fan, topic, seconds) {
    fan.owed += fan.rate * seconds * (0.5 + Math.random());
    for (; fan.owed >= 1; fan.owed--) {
      if (fan.client.state === "connected" && fan.unanswered < MAX_UNANSWERED) {
        const dice = Math.random();
        const data = {
          text: any(LINES),
          mode: dice < 0.02 ? "top" : dice < 0.03 ? "bottom" : "scroll",
          color: dice < 0.7 ? "#ffffff" : any(COLORS),
          kind: "comment",
        };
        this.#publish(fan, topic, data, { priority: Math.random() < 0.2 ? "low" : undefined });
      }
    }
  }

  async #publish(fan, topic, data, options) {
    fan.unanswered++;
    try {
      return await fan.client.publish(topic, data, options);
    } catch (ignored) {
      return null; // a comment among hundreds
    } finally {
      fan.unanswered--;
    }
  }

  #giveGift(topic) {
    const { client } = any(this.#fans);
    if (client.state === "connected") {
      const gift = any(GIFTS);
      this.#lastGift = this.#give((numbered) => {
        const data = { text: `gift #${numbered.number}`, gift, kind: "gift", ...numbered };
        return client.publish(topic, data, { priority: "critical" });
      });
    }
  }

  /** Thousands of likes a second are a few publishes: what counts is their sum. */
  #like(topic) {
    const timer = this.#every(LIKES_EVERY_MS, async () => {
      const { client } = any(this.#fans);
      if (client.state !== "connected") {
        return;
      }
      const likes = Math.round(((LIKES_PER_SECOND * LIKES_EVERY_MS) / 1000) * (0.5 + Math.random()));
      try {
        await client.publish(topic, likes, { key: "likes", merge: "sum" });
      } catch (error) {
        if (error.code !== "disconnected") {
          clearInterval(timer); // a gateway, or a room, without values
        }
      }
    });
  }
}
