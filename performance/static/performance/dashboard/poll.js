// Asks the board's address again and again while somebody looks, and knows how old the answer is.

const PATIENCE = 10_000;
const SLOWEST = 30;

export class Poll {
  /** `where()` is the address; `take(answer)` gets each answer, `tell(state)` what changed: live, paused, away, signed-out. */
  constructor(where, take, tell) {
    Object.assign(this, { where, take, tell, failures: 0, paused: false, ended: false });
    document.addEventListener("visibilitychange", () => this.#wake());
    addEventListener("pageshow", () => this.#wake());
    addEventListener("online", () => this.#wake());
  }

  /** Begins from an answer that is there already; `every` seconds lie between two. */
  begin(every) {
    this.heard = performance.now();
    this.every = every;
    this.#later(every);
  }

  /** Seconds since the last answer. */
  get age() {
    return (performance.now() - this.heard) / 1000;
  }

  toggle() {
    this.paused = !this.paused;
    this.tell(this.paused ? "paused" : "live");
    this.#wake();
  }

  #wake() {
    clearTimeout(this.timer);
    if (this.#wanted && !this.asking) this.#ask();
  }

  get #wanted() {
    return this.every && !this.paused && !this.ended && !document.hidden;
  }

  #later(seconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#wake(), seconds * 1000);
  }

  async #ask() {
    this.asking = true;
    try {
      const answer = await this.#fetch();
      if (answer) this.#took(answer);
    } catch {
      this.failures += 1;
      this.tell("away");
    } finally {
      this.asking = false;
    }
    if (this.#wanted) this.#later(Math.min(this.every * 2 ** this.failures, Math.max(SLOWEST, this.every)));
  }

  async #fetch() {
    const response = await fetch(this.where(), {
      headers: { Accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (response.type === "opaqueredirect" || response.status === 403) {
      this.ended = true;
      this.tell("signed-out");
      return null;
    }
    if (!response.ok) throw new Error(`The board answered ${response.status}.`);
    return response.json();
  }

  #took(answer) {
    this.heard = performance.now();
    this.failures = 0;
    this.every = answer.refresh;
    this.take(answer);
    this.tell(this.paused ? "paused" : "live");
  }
}
