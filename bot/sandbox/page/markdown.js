// A model's Markdown as elements, the way Slack shows it. Safe by construction: text nodes and a fixed set of tags.
// Slack's own mrkdwn (of people and of apps' text) is in mrkdwn.js.

import { h } from "./dom.js";
import { emojiOrText, link, mention } from "./inline.js";

const FENCE = /^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-{1,}:?\s*(\|\s*:?-{1,}:?\s*)*\|?\s*$/;

/** Elements for a whole text. `ctx` names people and channels (see store.js). */
export function markdown(text, ctx) {
  return blocks(text.replace(/\r\n?/g, "\n").split("\n"), ctx);
}

function blocks(lines, ctx) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    let m;
    if (!line.trim()) at += 1;
    else if ((m = line.match(FENCE))) at = fenced(lines, at, m, out);
    else if ((m = line.match(HEADING))) {
      out.push(h(`h${Math.min(6, m[1].length + 2)}`, { class: `md-h${m[1].length}` }, inline(m[2], ctx)));
      at += 1;
    } else if (RULE.test(line)) {
      out.push(h("hr"));
      at += 1;
    } else if (QUOTE.test(line)) at = quoted(lines, at, out, ctx);
    else if (
      line.includes("|") &&
      at + 1 < lines.length &&
      DIVIDER.test(lines[at + 1]) &&
      lines[at + 1].includes("-")
    )
      at = tabled(lines, at, out, ctx);
    else if (ITEM.test(line)) at = listed(lines, at, out, ctx);
    else at = paragraph(lines, at, out, ctx);
  }
  return out;
}

function fenced(lines, at, m, out) {
  const closing = new RegExp(`^\\s{0,3}${m[1][0]}{${m[1].length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  out.push(code(lines.slice(at + 1, end).join("\n"), m[2]));
  return end + 1;
}

/** A block of code with its language, scrolled by keyboard when it is wide. */
export function code(text, language = "") {
  const label = language ? `code, ${language}` : "code";
  return h(
    "pre",
    { class: "code", tabindex: "0", role: "region", "aria-label": label },
    h("code", null, text),
  );
}

function quoted(lines, at, out, ctx) {
  const inner = [];
  let m;
  while (at < lines.length && (m = lines[at].match(QUOTE))) {
    inner.push(m[1]);
    at += 1;
  }
  out.push(h("blockquote", null, blocks(inner, ctx)));
  return at;
}

function cells(line) {
  const trimmed = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(^|[^\\])\|$/, "$1");
  return trimmed.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function tabled(lines, at, out, ctx) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((c) =>
    c.endsWith(":") ? (c.startsWith(":") ? "center" : "right") : "left",
  );
  const rows = [];
  at += 2;
  while (at < lines.length && lines[at].includes("|") && lines[at].trim()) {
    rows.push(cells(lines[at]));
    at += 1;
  }
  out.push(
    table(
      head.map((c) => inline(c, ctx)),
      rows.map((row) => head.map((_, i) => inline(row[i] || "", ctx))),
      align,
    ),
  );
  return at;
}

/** A table whose cells are lists of nodes; `align` per column. */
export function table(head, rows, align = []) {
  const cell = (tag, nodes, i) =>
    h(tag, { class: `align-${align[i] || "left"}`, ...(tag === "th" ? { scope: "col" } : {}) }, nodes);
  return h(
    "div",
    { class: "table-box", tabindex: "0", role: "region", "aria-label": "table" },
    h(
      "table",
      null,
      head &&
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            head.map((c, i) => cell("th", c, i)),
          ),
        ),
      h(
        "tbody",
        null,
        rows.map((row) =>
          h(
            "tr",
            null,
            row.map((c, i) => cell("td", c, i)),
          ),
        ),
      ),
    ),
  );
}

function listed(lines, at, out, ctx) {
  const first = lines[at].match(ITEM);
  const depth = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  while (at < lines.length) {
    const m = lines[at].match(ITEM);
    if (!m || m[1].length < depth || (m[1].length === depth && /\d/.test(m[2]) !== ordered)) break;
    const body = [m[3]];
    const indent = m[1].length + m[2].length + 1;
    at += 1;
    while (at < lines.length && (!lines[at].trim() || /^\s+/.test(lines[at]))) {
      const next = lines[at].match(ITEM);
      if (next && next[1].length <= depth) break;
      if (!lines[at].trim() && !/^\s+\S/.test(lines[at + 1] || "")) break;
      body.push(lines[at].slice(Math.min(indent, lines[at].length - lines[at].trimStart().length)));
      at += 1;
    }
    items.push(item(body, ctx));
    while (at + 1 < lines.length && !lines[at].trim() && ITEM.test(lines[at + 1])) at += 1;
  }
  const start = ordered ? parseInt(first[2], 10) : 1;
  out.push(h(ordered ? "ol" : "ul", ordered && start !== 1 ? { start: String(start) } : null, items));
  return at;
}

function item(body, ctx) {
  const task = body[0].match(/^\[([ xX])\]\s+(.*)$/);
  if (task) {
    const done = task[1] !== " ";
    return h(
      "li",
      { class: "task" },
      h("span", { role: "img", "aria-label": done ? "done" : "open" }, done ? "☑" : "☐"),
      " ",
      inline(task[2], ctx),
    );
  }
  const rest = body.slice(1);
  return h("li", null, inline(body[0], ctx), rest.length ? blocks(rest, ctx) : null);
}

function paragraph(lines, at, out, ctx) {
  const start = at;
  while (at < lines.length && lines[at].trim()) {
    const line = lines[at];
    if (
      at > start &&
      (FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || ITEM.test(line) || RULE.test(line))
    )
      break;
    if (
      at > start &&
      line.includes("|") &&
      DIVIDER.test(lines[at + 1] || "") &&
      (lines[at + 1] || "").includes("|")
    )
      break;
    at += 1;
  }
  const nodes = [];
  lines.slice(start, at).forEach((line, i) => {
    if (i) nodes.push(h("br"));
    nodes.push(...inline(line.trim(), ctx));
  });
  out.push(h("p", null, nodes));
  return at;
}

// The earliest of these wins; each names the tag its inside goes into.
const SPANS = [
  { re: /\\([\\`*_{}[\]()#+\-.!|<>~])/, make: (m) => m[1] },
  { re: /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, make: (m) => h("code", null, m[2].trim() || m[2]) },
  { re: /<([@#!][^<>\s]+)>/, make: (m, ctx) => mention(m[1], ctx) },
  { re: /<((?:https?:|mailto:)[^<>\s]+)>/, make: (m) => link(m[1]) },
  {
    re: /!?\[([^\]\n]*)\]\(\s*<?([^\s()<>]+(?:\([^\s()]*\)[^\s()<>]*)?)>?(?:\s+"[^"]*")?\s*\)/,
    make: (m, ctx) => link(m[2], inline(m[1], ctx)),
  },
  {
    re: /\*\*\*(?=\S)([\s\S]*?\S)\*\*\*/,
    make: (m, ctx) => h("strong", null, h("em", null, inline(m[1], ctx))),
  },
  { re: /\*\*(?=\S)([\s\S]*?\S)\*\*/, make: (m, ctx) => h("strong", null, inline(m[1], ctx)) },
  { re: /(?<!\w)__(?=\S)([\s\S]*?\S)__(?!\w)/, make: (m, ctx) => h("strong", null, inline(m[1], ctx)) },
  { re: /\*(?=[^\s*])([^*]*[^\s*])\*/, make: (m, ctx) => h("em", null, inline(m[1], ctx)) },
  { re: /(?<!\w)_(?=[^\s_])([^_]*[^\s_])_(?!\w)/, make: (m, ctx) => h("em", null, inline(m[1], ctx)) },
  { re: /~~(?=\S)([\s\S]*?\S)~~/, make: (m, ctx) => h("s", null, inline(m[1], ctx)) },
  { re: /https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"]/, make: (m) => link(m[0]) },
  {
    re: /&(amp|lt|gt|quot|#39);/,
    make: (m) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[m[1]],
  },
  { re: /:([a-z0-9_+-]+):/, make: (m) => emojiOrText(m[0], m[1]) },
];

/** Nodes for one line of text. */
export function inline(text, ctx) {
  const nodes = [];
  let rest = text;
  while (rest) {
    let best = null;
    for (const span of SPANS) {
      const m = rest.match(span.re);
      if (m && (best === null || m.index < best.m.index)) best = { m, span };
      if (m && m.index === 0) break;
    }
    if (best === null) break;
    if (best.m.index) nodes.push(rest.slice(0, best.m.index));
    nodes.push(best.span.make(best.m, ctx));
    rest = rest.slice(best.m.index + best.m[0].length);
  }
  if (rest) nodes.push(rest);
  return nodes;
}
