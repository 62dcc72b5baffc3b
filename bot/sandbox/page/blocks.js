// Block Kit as elements. Whoever shows blocks passes `ctx`: who people are, and what pressing something does.

import { confirmed } from "./confirm.js";
import { h, icon } from "./dom.js";
import { fileField } from "./files.js";
import { emojiOrText, leadTo, link, mention } from "./inline.js";
import { code, markdown, table } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";

/** Elements for a list of blocks. */
export function blocksOf(blocks, ctx) {
  return blocks.map((block) => (KINDS[block.type] || unknown)(block, ctx));
}

/** A text object: plain_text or mrkdwn. */
export function text(object, ctx) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, ctx) : [object.text];
}

const KINDS = {
  markdown: (b, ctx) => h("div", { class: "md" }, markdown(b.text, ctx)),
  section: (b, ctx) =>
    h(
      "div",
      { class: "block section" },
      h("div", { class: "section-text md" }, text(b.text, ctx), fields(b.fields, ctx)),
      b.accessory && h("div", { class: "accessory" }, element(b.accessory, ctx)),
    ),
  header: (b) => h("h3", { class: "block block-header" }, b.text.text),
  divider: () => h("hr", { class: "block" }),
  context: (b, ctx) =>
    h(
      "div",
      { class: "block context" },
      b.elements.map((e) =>
        e.type === "image" ? picture(e, "context-image") : h("span", null, text(e, ctx)),
      ),
    ),
  actions: (b, ctx) =>
    h(
      "div",
      { class: "block actions" },
      b.elements.map((e) => element(e, ctx)),
    ),
  context_actions: (b, ctx) =>
    h(
      "div",
      { class: "block context-actions" },
      b.elements.map((e) => element(e, ctx)),
    ),
  image: (b, ctx) =>
    h(
      "figure",
      { class: "block" },
      b.title && h("figcaption", null, text(b.title, ctx)),
      picture(b, "block-image", ctx),
    ),
  rich_text: (b, ctx) =>
    h(
      "div",
      { class: "md" },
      b.elements.map((e) => rich(e, ctx)),
    ),
  table: (b, ctx) => tableBlock(b, ctx),
  data_table: (b, ctx) => tableBlock(b, ctx),
  input: (b, ctx) => input(b, ctx),
  task_card: (b) => taskCard(b),
  plan: (b) => h("div", { class: "block plan" }, b.title),
  alert: (b, ctx) => h("div", { class: `block alert ${b.level || "info"}`, role: "note" }, text(b.text, ctx)),
  file: (b) => h("div", { class: "block context" }, `File ${b.external_id || ""}`),
};

function unknown(block) {
  return h(
    "div",
    { class: "block context" },
    `(a block of type ${block.type}, which the sandbox does not draw)`,
  );
}

function fields(list, ctx) {
  return (
    list &&
    h(
      "div",
      { class: "fields" },
      list.map((field) => h("div", null, text(field, ctx))),
    )
  );
}

// Pictures come from the workspace's own files; an address elsewhere is told, not fetched.
function picture(b, cls, ctx) {
  const own = b.slack_file && ctx && ctx.file(b.slack_file.id, b.slack_file.url);
  const url = own ? local(own.url_private) : b.image_url || "";
  if (!own && /^https?:/.test(url) && !isLocal(url))
    return h("span", { class: "muted" }, `🖼 ${b.alt_text || "picture"} (${url})`);
  return h("img", { class: cls, src: local(url), alt: b.alt_text || "", loading: "lazy" });
}

function isLocal(url) {
  return /^https?:\/\/(127\.0\.0\.1|localhost)(:\d+)?\//.test(url);
}

/** The path under which this page can fetch a file of the workspace; anything else is left as it is. */
export function local(url) {
  const file = isLocal(url) && url.match(/\/files-(pri|tmb)\/\w+-(\w+)[-/]/);
  return file ? `/sandbox/files/${file[2]}${file[1] === "tmb" ? "/thumbnail" : ""}` : url;
}

function tableBlock(b, ctx) {
  const rows = (b.rows || []).map((row) => row.map((cell) => cellOf(cell, ctx)));
  const align = (b.column_settings || []).map((c) => (c && c.align) || "left");
  return h("div", { class: "block md" }, table(rows[0], rows.slice(1), align));
}

function cellOf(cell, ctx) {
  if (cell.type === "rich_text") return cell.elements.map((e) => rich(e, ctx));
  return [String(cell.text ?? cell.value ?? cell.number ?? "")];
}

// -- rich text

function rich(e, ctx) {
  const inside = () => e.elements.map((x) => leaf(x, ctx));
  if (e.type === "rich_text_section") return h("p", null, inside());
  if (e.type === "rich_text_quote") return h("blockquote", null, inside());
  if (e.type === "rich_text_preformatted") return code(e.elements.map((x) => x.text || x.url || "").join(""));
  if (e.type === "rich_text_list")
    return h(
      e.style === "ordered" ? "ol" : "ul",
      null,
      e.elements.map((x) => h("li", null, rich(x, ctx))),
    );
  return h("span", null);
}

function leaf(e, ctx) {
  if (e.type === "user") return mention(`@${e.user_id}`, ctx);
  if (e.type === "channel") return mention(`#${e.channel_id}`, ctx);
  if (e.type === "broadcast") return mention(`!${e.range}`, ctx);
  if (e.type === "link") return link(e.url, e.text ? [e.text] : null);
  if (e.type === "emoji") return emojiOrText(`:${e.name}:`, e.name);
  return styled(e.text || "", e.style || {});
}

function styled(value, style) {
  let node = lines(value);
  if (style.code) node = h("code", null, node);
  if (style.bold) node = h("strong", null, node);
  if (style.italic) node = h("em", null, node);
  if (style.strike) node = h("s", null, node);
  return node;
}

function lines(value) {
  return value.split("\n").flatMap((line, i) => (i ? [h("br"), line] : [line]));
}

function taskCard(b) {
  const mark = { pending: "○", in_progress: "◐", complete: "●", error: "✕" }[b.status] || "○";
  return h(
    "div",
    { class: `block task-card ${b.status || "pending"}` },
    h("span", { role: "img", "aria-label": (b.status || "pending").replace("_", " ") }, mark),
    h("span", null, b.title, typeof b.details === "string" && b.details ? h("small", null, b.details) : null),
  );
}

// -- things to press, choose and fill in

/** One interactive element; what it does is ctx.press(action_id, value). */
export function element(e, ctx) {
  if (e.visible_to_user_ids && !e.visible_to_user_ids.includes(ctx.me)) return null;
  return (ELEMENTS[e.type] || (() => h("span", { class: "muted" }, `(${e.type})`)))(e, ctx);
}

const ELEMENTS = {
  button: (e, ctx) =>
    e.url
      ? h("a", { class: "button", ...leadTo(e.url) }, e.text.text)
      : h(
          "button",
          {
            type: "button",
            class: `button ${e.style || ""}`,
            onclick: once(async () => (await confirmed(e.confirm)) && ctx.press(e.action_id, e.value ?? null)),
          },
          e.text.text,
        ),
  feedback_buttons: (e, ctx) => feedback(e, ctx),
  icon_button: (e, ctx) =>
    h(
      "button",
      {
        type: "button",
        class: "icon-button",
        title: e.text.text,
        "aria-label": e.text.text,
        onclick: once(() => ctx.press(e.action_id, null)),
      },
      icon(e.icon === "trash" ? "trash" : "more"),
    ),
  static_select: (e, ctx) => select(e, optionsOf(e), ctx, e.initial_option?.value),
  external_select: (e, ctx) => select(e, optionsOf(e), ctx, e.initial_option?.value),
  users_select: (e, ctx) => select(e, ctx.people(), ctx, e.initial_user),
  channels_select: (e, ctx) => select(e, ctx.channels(), ctx, e.initial_channel),
  conversations_select: (e, ctx) => select(e, ctx.channels(), ctx, e.initial_conversation),
  multi_static_select: (e, ctx) =>
    many(
      e,
      optionsOf(e),
      ctx,
      e.initial_options?.map((o) => o.value),
    ),
  multi_users_select: (e, ctx) => many(e, ctx.people(), ctx, e.initial_users),
  multi_channels_select: (e, ctx) => many(e, ctx.channels(), ctx, e.initial_channels),
  multi_conversations_select: (e, ctx) => many(e, ctx.channels(), ctx, e.initial_conversations),
  overflow: (e, ctx) => select({ ...e, placeholder: { text: "More…" } }, optionsOf(e), ctx),
  radio_buttons: (e, ctx) => choices(e, "radio", ctx),
  checkboxes: (e, ctx) => choices(e, "checkbox", ctx),
  datepicker: (e, ctx) => field(e, "date", ctx, e.initial_date),
  timepicker: (e, ctx) => field(e, "time", ctx, e.initial_time),
  plain_text_input: (e, ctx) => field(e, e.multiline ? "textarea" : "text", ctx, e.initial_value),
  number_input: (e, ctx) => field(e, "number", ctx, e.initial_value),
  email_text_input: (e, ctx) => field(e, "email", ctx, e.initial_value),
  url_text_input: (e, ctx) => field(e, "url", ctx, e.initial_value),
  file_input: (e, ctx) => fileField(e, ctx),
  image: (e) => picture(e, "accessory-image"),
};

// A button is not pressed again before the app has answered.
function once(press) {
  return async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await press();
    } finally {
      button.disabled = false;
    }
  };
}

function feedback(e, ctx) {
  const given = ctx.feedback?.(e.action_id);
  const one = (side, name) => {
    const b = e[side];
    return h(
      "button",
      {
        type: "button",
        class: "icon-button feedback",
        title: b.text.text,
        "aria-label": b.text.text,
        "aria-pressed": String(given === b.value),
        onclick: once(() => ctx.press(e.action_id, b.value)),
      },
      icon(name),
    );
  };
  return h("span", { class: "feedback-pair" }, one("positive_button", "up"), one("negative_button", "down"));
}

function optionsOf(e) {
  const grouped = (e.option_groups || []).flatMap((g) => g.options);
  return [...(e.options || []), ...grouped].map((o) => [o.value, o.text.text, o.description?.text]);
}

const nameOf = (e, ctx) => ctx.label || e.placeholder?.text || e.action_id;

/** What an element begins with: what the person had entered before the view was drawn again, else what the app says. */
function start(e, ctx, initial) {
  const before = ctx.before?.(e.action_id);
  return before === undefined || before === null ? initial : before;
}

function select(e, options, ctx, given) {
  const initial = start(e, ctx, given);
  const chosen = h(
    "select",
    { "aria-label": nameOf(e, ctx), dataset: { action: e.action_id }, id: ctx.id },
    !initial && h("option", { value: "" }, e.placeholder?.text || "Choose…"),
    options.map(([value, label]) => h("option", { value, selected: value === initial }, label)),
  );
  chosen.addEventListener("change", () => ctx.change(e, chosen.value || null));
  ctx.collect?.(e.action_id, () => chosen.value || null);
  return chosen;
}

function many(e, options, ctx, initial = []) {
  return choices(
    {
      ...e,
      type: "checkboxes",
      options: options.map(([value, label]) => ({ value, text: { text: label } })),
      initial_options: initial.map((value) => ({ value })),
    },
    "checkbox",
    ctx,
  );
}

function choices(e, kind, ctx) {
  const given = (e.initial_options || (e.initial_option ? [e.initial_option] : [])).map((o) => o.value);
  const first = new Set([start(e, ctx, given)].flat());
  const name = `${e.action_id}-${Math.random().toString(36).slice(2)}`;
  const boxes = (e.options || []).map((o) => {
    const box = h("input", { type: kind, name, value: o.value, checked: first.has(o.value) });
    box.addEventListener("change", () => ctx.change(e, values()));
    return [
      box,
      h(
        "label",
        { class: "choice" },
        box,
        h("span", null, text(o.text, ctx), o.description && h("small", null, text(o.description, ctx))),
      ),
    ];
  });
  const checked = () =>
    boxes
      .map(([box]) => box)
      .filter((box) => box.checked)
      .map((box) => box.value);
  const values = () => (kind === "radio" ? checked()[0] || null : checked());
  ctx.collect?.(e.action_id, values);
  return h(
    "div",
    { class: "choices", role: "group", "aria-label": nameOf(e, ctx) },
    boxes.map(([, label]) => label),
  );
}

function field(e, kind, ctx, given) {
  const initial = start(e, ctx, given);
  const props = {
    id: ctx.id,
    "aria-label": ctx.id ? null : nameOf(e, ctx),
    placeholder: e.placeholder?.text,
    "aria-invalid": ctx.error ? "true" : null,
  };
  const limits = {
    maxlength: e.max_length && String(e.max_length),
    minlength: e.min_length && String(e.min_length),
  };
  const box =
    kind === "textarea"
      ? h("textarea", { ...props, ...limits, rows: "4" })
      : h("input", { type: kind, ...props, ...limits });
  if (initial !== undefined) box.value = initial;
  if (kind === "date" || kind === "time")
    box.addEventListener("change", () => ctx.change(e, box.value || null));
  ctx.collect?.(e.action_id, () => box.value || null);
  return box;
}

function input(b, ctx) {
  const id = `in-${b.block_id}`;
  const error = ctx.errors?.[b.block_id];
  const plain =
    !["radio_buttons", "checkboxes"].includes(b.element.type) && !b.element.type.startsWith("multi_");
  return h(
    "div",
    { class: `block input${error ? " wrong" : ""}` },
    h(
      plain ? "label" : "span",
      { class: "label", ...(plain ? { for: id } : {}) },
      b.label.text,
      b.optional && h("small", null, " (optional)"),
    ),
    element(b.element, { ...ctx, id: plain ? id : undefined, label: b.label.text, error }),
    b.hint && h("small", { class: "hint" }, b.hint.text),
    error && h("p", { class: "error", role: "alert" }, error),
  );
}
