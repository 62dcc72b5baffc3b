// Voice: recording a clip with the microphone, and the bundled clips for those without one.

import { fill, h, iconButton } from "./dom.js";
import { get } from "./live.js";
import { toast } from "./menu.js";

const LONGEST_S = 300;

/** A strip above the text box while recording; `done(file)` gets the finished clip. */
export class Recorder {
  constructor(app, done) {
    Object.assign(this, { app, done, media: null, chunks: [], began: 0, timer: 0 });
    this.time = h("span", { class: "rec-time", role: "timer", "aria-label": "Recording time" }, "0:00");
    this.level = h("span", { class: "rec-level", "aria-hidden": "true" });
    this.element = h("div", { class: "recording", hidden: true, role: "group", "aria-label": "Voice clip" });
  }

  async start() {
    if (this.media) return;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (problem) {
      toast(`The microphone cannot be used (${problem.name}). Send a sample clip instead.`, "bad");
      return;
    }
    const type =
      ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg"].find((t) => MediaRecorder.isTypeSupported(t)) ||
      "";
    this.media = new MediaRecorder(this.stream, type ? { mimeType: type } : {});
    this.chunks = [];
    this.media.ondataavailable = (e) => e.data.size && this.chunks.push(e.data);
    this.media.start(250);
    this.began = performance.now();
    this.element.hidden = false;
    fill(
      this.element,
      h("span", { class: "rec-dot", "aria-hidden": "true" }),
      this.time,
      this.level,
      h("span", { class: "grow" }),
      iconButton("close", "Discard the clip", () => this.end(false)),
      h("button", { type: "button", class: "button primary", onclick: () => this.end(true) }, "Send clip"),
    );
    this.element.querySelector("button.primary").focus();
    this.listen();
    this.timer = setInterval(() => this.tick(), 200);
  }

  listen() {
    this.audio = new AudioContext();
    this.meter = this.audio.createAnalyser();
    this.meter.fftSize = 256;
    this.audio.createMediaStreamSource(this.stream).connect(this.meter);
  }

  tick() {
    const s = (performance.now() - this.began) / 1000;
    this.time.textContent = `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
    const wave = new Uint8Array(this.meter.fftSize);
    this.meter.getByteTimeDomainData(wave);
    const loud = Math.max(...wave.map((v) => Math.abs(v - 128))) / 128;
    this.level.style.setProperty("--level", loud.toFixed(2));
    if (s > LONGEST_S) this.end(true);
  }

  async end(send) {
    const { media } = this;
    if (!media) return;
    clearInterval(this.timer);
    const seconds = (performance.now() - this.began) / 1000;
    await new Promise((resolve) => {
      media.onstop = resolve;
      media.stop();
    });
    this.stream.getTracks().forEach((track) => track.stop());
    this.audio.close();
    this.media = null;
    this.element.hidden = true;
    if (!send) return;
    const kind = (media.mimeType || "audio/webm").split(";")[0];
    const ending = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg" }[kind] || "webm";
    this.done({
      name: `audio_message.${ending}`,
      blob: new Blob(this.chunks, { type: kind }),
      voice: true,
      seconds,
    });
  }
}

/** The bundled clips; load() fetches one as a file to send. */
export async function sampleClips() {
  const { clips } = await get("/sandbox/clips");
  return clips.map((c) => ({
    title: c.title,
    text: c.text,
    load: async () => {
      const blob = await (await fetch(`/sandbox/clips/${c.file}`)).blob();
      const ending = c.file.split(".").pop();
      return { name: `audio_message.${ending}`, blob, voice: true, seconds: c.duration_ms / 1000 };
    },
  }));
}
