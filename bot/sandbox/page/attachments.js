// What came along with a message: a pasted table, a forwarded or quoted message, the card of another app.

import { blocksOf } from "./blocks.js";
import { h } from "./dom.js";
import { link } from "./inline.js";
import { mrkdwn } from "./mrkdwn.js";

/** Elements for a message's attachments; null when it has none. */
export function attachments(message, ctx) {
  const list = message.attachments || [];
  return list.length ? h("div", { class: "attachments" }, list.map((each) => attachment(each, ctx))) : null;
}

function attachment(a, ctx) {
  const shared = a.is_share || a.is_msg_unfurl;
  const said = words(a, ctx);
  if (!shared && a.blocks && !a.title && !a.text) return h("div", { class: "content" }, said);
  return h(
    "div",
    { class: "attachment", role: "group", "aria-label": shared ? `Message by ${a.author_name}` : a.title },
    a.pretext && h("p", null, mrkdwn(a.pretext, ctx)),
    a.author_name && h("p", { class: "attachment-author" }, a.author_name),
    a.title && h("p", { class: "attachment-title" }, a.title_link ? link(a.title_link, [a.title]) : a.title),
    h("div", { class: "md" }, said),
    (a.fields || []).map((f) => h("p", null, h("strong", null, f.title), " ", mrkdwn(f.value, ctx))),
    (a.files || []).map((f) => h("p", { class: "muted" }, f.title || f.name)),
    attachments(a, ctx),
    a.footer && h("small", { class: "muted" }, mrkdwn(a.footer, ctx)),
  );
}

function words(a, ctx) {
  if (a.text) return mrkdwn(a.text, ctx);
  if (a.blocks) return blocksOf(a.blocks, ctx);
  return a.files || a.attachments ? [] : [a.fallback || ""];
}
