// Streamed text comes in steps of about a second; here it flows, as Slack's own client shows it.

const TICK_MS = 40;
const TICKS = 22; // so many until a step has been shown whole, which is a little less than the next one takes

export class Flow {
  /** hear(frame): where frames go, each step of streamed text as many small ones. */
  constructor(hear) {
    this.hear = hear;
    this.waiting = new Map(); // ts → { channel, text, ticks }
    this.timer = 0;
  }

  take(frame) {
    if (frame.type === "append" && !matchMedia("(prefers-reduced-motion: reduce)").matches)
      return frame.parts.forEach((part) => this.part(frame, part));
    // The whole message takes the place of what has not been shown yet.
    if (frame.type === "state") this.waiting.clear();
    else if (frame.type !== "append") this.waiting.delete(frame.message?.ts || frame.ts);
    return this.hear(frame);
  }

  part({ channel, ts }, part) {
    const before = this.waiting.get(ts)?.text || "";
    if (part.type === "markdown_text") {
      this.waiting.set(ts, { channel, text: before + part.text, ticks: TICKS });
      this.timer ||= setInterval(() => this.tick(), TICK_MS);
      return;
    }
    this.waiting.delete(ts);
    if (before) this.say(channel, ts, before);
    this.hear({ type: "append", channel, ts, parts: [part] });
  }

  tick() {
    for (const [ts, rest] of this.waiting) {
      const size = Math.ceil(rest.text.length / rest.ticks);
      this.say(rest.channel, ts, rest.text.slice(0, size));
      rest.text = rest.text.slice(size);
      rest.ticks -= 1;
      if (!rest.text) this.waiting.delete(ts);
    }
    if (!this.waiting.size) {
      clearInterval(this.timer);
      this.timer = 0;
    }
  }

  say(channel, ts, text) {
    this.hear({ type: "append", channel, ts, parts: [{ type: "markdown_text", text }] });
  }
}
