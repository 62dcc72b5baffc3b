// Slack's own notation, as people's messages and apps' texts use it: *bold*, _italic_, ~struck~, `code`, <tokens>.

import { h } from "./dom.js";
import { emojiOrText, link, mention } from "./inline.js";
import { code } from "./markdown.js";

const ENTITY = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** The text with Slack's three escapes undone. */
export function unescaped(text) {
  return text.replace(/&(amp|lt|gt);/g, (entity) => ENTITY[entity]);
}

/** Elements for a whole text. */
export function mrkdwn(text, ctx) {
  return text.split(/```/).flatMap((part, i, all) => {
    if (i % 2 && i < all.length - 1) return [code(unescaped(part.replace(/^\n|\n$/g, "")))];
    return prose(i % 2 ? "```" + part : part, ctx);
  });
}

function prose(text, ctx) {
  const out = [];
  let quote = [];
  let lines = [];
  const endLines = () => {
    if (lines.some((line) => line.trim())) out.push(h("p", null, joined(lines, ctx)));
    lines = [];
  };
  const endQuote = () => {
    if (quote.length) out.push(h("blockquote", null, joined(quote, ctx)));
    quote = [];
  };
  for (const line of text.replace(/^\n+|\n+$/g, "").split("\n")) {
    const m = line.match(/^(?:&gt;|>)\s?(.*)$/);
    if (m) {
      endLines();
      quote.push(m[1]);
    } else {
      endQuote();
      lines.push(line);
    }
  }
  endQuote();
  endLines();
  return out;
}

function joined(lines, ctx) {
  return lines.flatMap((line, i) => (i ? [h("br"), ...spans(line, ctx)] : spans(line, ctx)));
}

const edge = (mark) =>
  new RegExp(`(?<![\\w${mark}])\\${mark}(?=\\S)([^\\${mark}\\n]*?\\S)\\${mark}(?![\\w${mark}])`);
const SPANS = [
  { re: /`([^`\n]+)`/, make: (m) => h("code", null, unescaped(m[1])) },
  { re: /<([@#!][^<>\s]+(?:\|[^<>]*)?)>/, make: (m, ctx) => mention(unescaped(m[1]), ctx) },
  {
    re: /<((?:https?:|mailto:)[^<>|\s]+)(?:\|([^<>]*))?>/,
    make: (m) => link(unescaped(m[1]), m[2] ? [unescaped(m[2])] : null),
  },
  { re: edge("*"), make: (m, ctx) => h("strong", null, spans(m[1], ctx)) },
  { re: edge("_"), make: (m, ctx) => h("em", null, spans(m[1], ctx)) },
  { re: edge("~"), make: (m, ctx) => h("s", null, spans(m[1], ctx)) },
  { re: /:([a-z0-9_+-]+):/, make: (m) => emojiOrText(m[0], m[1]) },
];

/** Nodes for one line. */
export function spans(text, ctx) {
  const nodes = [];
  let rest = text;
  while (rest) {
    let best = null;
    for (const span of SPANS) {
      const m = rest.match(span.re);
      if (m && (best === null || m.index < best.m.index)) best = { m, span };
    }
    if (best === null) break;
    if (best.m.index) nodes.push(unescaped(rest.slice(0, best.m.index)));
    nodes.push(best.span.make(best.m, ctx));
    rest = rest.slice(best.m.index + best.m[0].length);
  }
  if (rest) nodes.push(unescaped(rest));
  return nodes;
}
