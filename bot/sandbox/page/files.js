// Files: shown under a message, added to a message or a form, dropped on a conversation.

import { local } from "./blocks.js";
import { fill, h, icon, iconButton } from "./dom.js";

/** Elements for the files of a message; null when it has none. */
export function files(message) {
  if (!message.files?.length) return null;
  return h("div", { class: "files" }, message.files.map(file));
}

function file(f) {
  if (f.mode === "tombstone") return h("div", { class: "file muted" }, icon("trash"), "This file was deleted.");
  if (!f.url_private) return h("div", { class: "file" }, icon("file"), f.title || f.name || "a shared file");
  const url = local(f.url_private);
  if (f.subtype === "slack_audio" || /^audio\//.test(f.mimetype))
    return h(
      "div",
      { class: "file clip" },
      h("span", { class: "file-name" }, icon("mic"), f.subtype === "slack_audio" ? "Voice clip" : f.name),
      h("audio", { controls: true, src: url, preload: "metadata", "aria-label": f.name }),
    );
  const shown = pictureOf(f, url);
  if (shown)
    return h(
      "a",
      { href: url, target: "_blank", class: "picture" },
      h("img", { src: shown, alt: f.alt_txt || f.title || f.name, loading: "lazy" }),
    );
  return h(
    "a",
    { class: "file", href: url, download: f.name },
    icon("file"),
    h(
      "span",
      null,
      f.title || f.name,
      h("small", null, `${f.pretty_type || f.filetype || ""} · ${bytes(f.size)}`),
    ),
  );
}

/** The address of what can be drawn: the picture itself, or what Slack made of one that browsers do not show. */
function pictureOf(f, url) {
  if (/^image\/(png|jpeg|gif|webp|svg)/.test(f.mimetype)) return url;
  const small = Object.keys(f).filter((key) => /^thumb_\d+$/.test(key));
  return small.length && local(f[small.at(-1)]);
}

function bytes(n) {
  return n > 1e6 ? `${(n / 1e6).toFixed(1)} MB` : n > 1e3 ? `${Math.round(n / 1e3)} kB` : `${n} B`;
}

/** {name, blob} as the sandbox takes it. */
export async function packed(given) {
  const content = new Uint8Array(await given.blob.arrayBuffer());
  let binary = "";
  for (let i = 0; i < content.length; i += 32768)
    binary += String.fromCharCode(...content.subarray(i, i + 32768));
  return {
    name: given.name,
    content: btoa(binary),
    ...(given.voice ? { voice: true, duration_s: given.seconds } : {}),
  };
}

/** What stands in a form, ready to be sent: a field of files gives files, any other its value. */
export async function valueOf(value) {
  const added = Array.isArray(value) && value.some((one) => one instanceof File);
  return added ? Promise.all(value.map((one) => packed({ name: one.name, blob: one }))) : value;
}

/** Chosen files as chips; `remove(i)` takes one away. */
export function chips(names, remove) {
  return names.map((name, i) =>
    h("span", { class: "chip" }, icon("file"), name, iconButton("close", `Remove ${name}`, () => remove(i))),
  );
}

/** The field of a form to which files are added, by its button or by dropping them there. */
export function fileField(e, ctx) {
  let chosen = ctx.before?.(e.action_id) || [];
  const picked = h("div", { class: "chips" });
  const input = h("input", {
    type: "file",
    id: ctx.id,
    multiple: (e.max_files || 10) > 1,
    accept: (e.filetypes || []).map((kind) => `.${kind}`).join(",") || null,
    "aria-label": ctx.id ? null : ctx.label || e.action_id,
  });
  const show = () =>
    fill(
      picked,
      chips(
        chosen.map((one) => one.name),
        (i) => set(chosen.filter((_, at) => at !== i)),
      ),
    );
  const set = (list) => {
    chosen = [...list].slice(0, e.max_files || 10);
    show();
  };
  input.addEventListener("change", () => input.files.length && set(input.files));
  const zone = h("div", { class: "file-field" }, input, picked);
  takeDrops(zone, (list) => set([...chosen, ...list]));
  ctx.collect?.(e.action_id, () => chosen);
  show();
  return zone;
}

/** Files dropped anywhere on `zone` go to `add`; while they hover, it shows that it takes them. */
export function takeDrops(zone, add) {
  const holds = (e) => e.dataTransfer?.types.includes("Files");
  const over = (on) => zone.classList.toggle("dropping", on);
  zone.addEventListener("dragover", (e) => {
    if (!holds(e)) return;
    e.preventDefault();
    over(true);
  });
  zone.addEventListener("dragleave", (e) => zone.contains(e.relatedTarget) || over(false));
  zone.addEventListener("drop", (e) => {
    over(false);
    if (!holds(e)) return;
    e.preventDefault();
    add(e.dataTransfer.files);
  });
}
