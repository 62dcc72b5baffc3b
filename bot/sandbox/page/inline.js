// What stands within a line in both notations: links, mentions, emoji.

import { h } from "./dom.js";

export const EMOJI = {
  "+1": "👍",
  thumbsup: "👍",
  "-1": "👎",
  thumbsdown: "👎",
  heart: "❤️",
  tada: "🎉",
  eyes: "👀",
  pray: "🙏",
  rocket: "🚀",
  fire: "🔥",
  smile: "😄",
  joy: "😂",
  thinking_face: "🤔",
  white_check_mark: "✅",
  x: "❌",
  wave: "👋",
  clap: "👏",
  bulb: "💡",
  warning: "⚠️",
  hourglass: "⌛",
  microphone: "🎤",
  memo: "📝",
  calendar: "📅",
  coffee: "☕",
  lock: "🔒",
  moneybag: "💰",
  chart_with_upwards_trend: "📈",
  speech_balloon: "💬",
  robot_face: "🤖",
  star: "⭐",
  no_entry: "⛔",
  mag: "🔍",
  page_facing_up: "📄",
  arrows_counterclockwise: "🔄",
  question: "❓",
  sparkles: "✨",
  information_source: "ℹ️",
  studio_microphone: "🎙️",
  globe_with_meridians: "🌐",
  pencil2: "✏️",
  wastebasket: "🗑️",
  raised_hand: "✋",
};
export const QUICK = [
  "thumbsup",
  "thumbsdown",
  "heart",
  "tada",
  "eyes",
  "rocket",
  "thinking_face",
  "white_check_mark",
];

export function emojiOrText(text, name) {
  return EMOJI[name]
    ? h("span", { role: "img", "aria-label": name.replace(/_/g, " "), class: "emoji" }, EMOJI[name])
    : text;
}

/** A link to the web; anything but http, https and mail stays text. */
export function link(url, label) {
  const shown = label && label.length ? label : [url.replace(/^mailto:/, "")];
  if (!/^(https?:|mailto:)/i.test(url)) return h("span", null, shown, ` (${url})`);
  return h("a", leadTo(url), shown);
}

const OWN = /^https:\/\/sandbox(?:-\d+)?\.slack\.com\/(?:files\/\w+\/(\w+)\/|archives\/(\w+)\/p(\d{10})(\d{6}))/;

/** Where an address leads: one of this workspace to its file or message here, any other to the web. */
export function leadTo(url) {
  const own = url.match(OWN);
  if (own?.[2]) {
    const root = new URL(url).searchParams.get("thread_ts") || `${own[3]}.${own[4]}`;
    return { href: `#${own[2]}/${root}` };
  }
  const href = own ? `/sandbox/files/${own[1]}` : url;
  return { href, target: "_blank", rel: "noopener noreferrer nofollow" };
}

/** <@U…>, <#C…|name>, <!here>, <!date^…|text>, without their brackets. */
export function mention(token, ctx) {
  const [target, label] = token.split("|");
  const kind = target[0];
  const id = target.slice(1);
  if (kind === "@") {
    const person = ctx.person(id);
    const mine = id === ctx.me;
    return h("span", { class: `mention${mine ? " mine" : ""}` }, `@${person ? person.name : label || id}`);
  }
  if (kind === "#") {
    const channel = ctx.channel(id);
    return h("span", { class: "mention" }, `#${label || (channel && channel.name) || "private channel"}`);
  }
  if (id.startsWith("date^")) return label || id.split("^")[1];
  return h("span", { class: "mention loud" }, `@${label || id}`);
}
