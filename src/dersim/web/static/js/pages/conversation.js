// The conversation with the server: every exchange, its bodies, and what changed since the last one there.
import { card, h, headRow, note, pairs, show, troubleLine } from "../dom.js";
import { getPlain, currentDevice } from "../api.js";
import { bytes, clockMs, num, utc } from "../format.js";

const KEEP = 400;
const PCAPNG = "/api/dersim/conversation/export.pcapng";

const COLUMNS = ["Time", "DER", "Method", "Path", "Status", "ms", "Sent", "Received", "Verdict", "Cause"];
const NUMBERS = ["DER", "ms", "Sent", "Received"];

export function mount(root) {
  const page = new ConversationPage(root);
  page.load();
  return { unmount: () => page.close() };
}

// The list of exchanges, newest first, and the chosen one below it.
class ConversationPage {
  constructor(root) {
    this.after = 0;
    this.timer = 0;
    this.gone = false;
    this.paused = false;
    this.chosen = null;
    const look = { type: "search", placeholder: "path, method or status", "aria-label": "Filter" };
    this.filter = h("input", { ...look, oninput: () => this.sift() });
    this.all = h("input", { type: "checkbox", id: "all-devices", onchange: () => this.restart() });
    this.hold = h("button", { onclick: () => this.pause() }, "Pause");
    this.pcap = h("span", {});
    this.body = h("tbody", {});
    this.trouble = troubleLine();
    this.detail = h("div", { tabindex: -1 }, h("p", { class: "empty" }, "Choose an exchange."));
    show(
      root,
      card("Conversation with the server", this.controls(), this.trouble, this.table()),
      card("Exchange", this.detail),
    );
  }

  controls() {
    const link = (path, text) => h("a", { class: "button", href: path, download: true }, text);
    return h(
      "div",
      { class: "row" },
      this.filter,
      h("label", { for: "all-devices" }, this.all, "all DERs"),
      this.hold,
      link("/api/dersim/conversation/export.jsonl", "Export JSONL"),
      link("/api/dersim/conversation/export.har", "Export HAR"),
      this.pcap,
    );
  }

  table() {
    const style = { "max-height": "24rem", "overflow-y": "auto" };
    const head = h("thead", {}, headRow(COLUMNS, NUMBERS));
    return h("div", { class: "scroll", style }, h("table", {}, head, this.body));
  }

  pause() {
    this.paused = !this.paused;
    this.hold.textContent = this.paused ? "Go on" : "Pause";
  }

  row(exchange) {
    const { id, status } = exchange;
    const open = () => this.open(id, row);
    const onkeydown = (event) => {
      if (event.key === "Enter") open();
    };
    const row = h("tr", { class: "pick", tabindex: 0, onclick: open, onkeydown }, cells(exchange));
    const { method, url, verdict, cause } = exchange;
    row.dataset.words = [method, url, status, verdict, cause].join(" ").toLowerCase();
    row.dataset.id = id;
    return row;
  }

  sift() {
    const word = this.filter.value.toLowerCase();
    for (const row of this.body.children) row.hidden = !row.dataset.words.includes(word);
  }

  restart() {
    this.after = 0;
    show(this.body);
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    try {
      if (!this.paused) await this.loadNew();
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.message;
    }
    if (!this.gone) this.timer = setTimeout(() => this.load(), 1500);
  }

  async loadNew() {
    const device = this.all.checked ? null : currentDevice();
    const query = { device, after: this.after, limit: KEEP };
    const { exchanges, pcap } = await getPlain("/api/dersim/conversation", query);
    if (pcap && !this.pcap.firstChild) show(this.pcap, pcapLink());
    for (const exchange of exchanges) {
      this.body.prepend(this.row(exchange));
      this.after = exchange.id;
    }
    while (this.body.children.length > KEEP) this.body.lastChild.remove();
    if (exchanges.length) this.sift();
  }

  async open(id, row) {
    this.chosen?.removeAttribute("aria-selected");
    this.chosen = row;
    row.setAttribute("aria-selected", "true");
    try {
      const exchange = await exchangeOf(id);
      const before = exchange.previous ? await exchangeOf(exchange.previous).catch(() => null) : null;
      show(this.detail, detailOf(exchange, before));
    } catch (error) {
      show(this.detail, h("p", { class: "trouble" }, error.message));
    }
  }

  close() {
    this.gone = true;
    clearTimeout(this.timer);
  }
}

// The records with their secrets, where --pcap keeps them.
const pcapLink = () => [
  h("a", { class: "button", href: PCAPNG, download: true }, "Export pcapng"),
  h("span", { class: "muted" }, " for Wireshark, with TLS secrets: PINs are readable in it"),
];

const exchangeOf = (id) => getPlain("/api/dersim/conversation/exchange", { id });

function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return pathname + search;
  } catch {
    return url;
  }
}

function cells({ time, device, method, url, status, elapsed_ms, request_bytes, response_bytes, ...told }) {
  const bad = status === 0 || status >= 400;
  return [
    h("td", { class: "t", title: utc(time) }, clockMs(time)),
    h("td", { class: "n" }, device),
    h("td", {}, method),
    h("td", { class: "mono" }, pathOf(url)),
    h("td", { class: bad ? "bad" : "" }, status || "no answer"),
    h("td", { class: "n" }, num(elapsed_ms, 1)),
    h("td", { class: "n" }, bytes(request_bytes)),
    h("td", { class: "n" }, bytes(response_bytes)),
    h("td", {}, told.verdict),
    h("td", {}, told.cause),
  ];
}

// One exchange, compared with the one before at the same address.
function detailOf(exchange, before) {
  const copy = async (event) => {
    const done = await navigator.clipboard?.writeText(exchange.curl).then(() => true, () => false);
    event.target.textContent = done ? "Copied" : "Not allowed here; the command is below";
  };
  const compared = before ? `compared with exchange ${before.id}, ${clockMs(before.time)}` : "";
  return [
    pairs([
      ["Request", `${exchange.method} ${exchange.url}`],
      ["Sent", utc(exchange.time)],
      ["Status", `${exchange.status || "no answer"} in ${num(exchange.elapsed_ms, 1)} ms`],
      ["Outcome", exchange.outcome],
      ["Cause", exchange.cause],
    ]),
    h(
      "div",
      { class: "row" },
      h("button", { onclick: copy }, "Copy as curl"),
      before ? h("span", { class: "muted" }, compared) : null,
    ),
    h("details", {}, h("summary", {}, "The command"), h("pre", {}, exchange.curl)),
    message("Request body", exchange.request_headers, exchange.request_body, before?.request_body),
    message("Answer", exchange.response_headers, exchange.response_body, before?.response_body),
  ];
}

// Headers and body of a message; a body that changed as the difference from the old one.
function message(title, headers, text, old) {
  const heads = headers.map(([name, value]) => `${name}: ${value}`).join("\n") || "(none)";
  const changed = old !== undefined && old !== null && old !== text;
  const shown = text && changed ? difference(pretty(old), pretty(text)) : pretty(text || "");
  return [
    h("h3", {}, title),
    h("details", {}, h("summary", {}, `${headers.length} headers`), h("pre", {}, heads)),
    text ? h("pre", {}, shown) : null,
    text && old === text ? note("The same as the last time.") : null,
  ];
}

// Indented XML; what is not XML stays as it is.
export function pretty(text) {
  if (!text.trimStart().startsWith("<")) return text;
  let depth = 0;
  const out = [];
  for (const token of text.replace(/>\s+</g, "><").match(/<[^>]*>[^<]*/g) || [text]) {
    if (token.startsWith("</")) {
      depth--;
      const opened = out[out.length - 1];
      if (opened !== undefined && opened.open === token.slice(2, token.indexOf(">"))) {
        opened.text += token.trimEnd();
        opened.open = null;
        continue;
      }
      out.push({ text: `${"  ".repeat(Math.max(depth, 0))}${token.trimEnd()}`, open: null });
    } else {
      const single = /^<[?!]|\/>/.test(token);
      out.push({
        text: `${"  ".repeat(depth)}${token}`,
        open: single ? null : token.match(/^<([^\s>/]+)/)?.[1],
      });
      if (!single) depth++;
    }
  }
  return out.map((line) => line.text.trimEnd()).join("\n");
}

// The new text line by line, what was added and what was taken away marked by sign and colour.
export function difference(old, text) {
  const a = old.split("\n").slice(0, 600),
    b = text.split("\n").slice(0, 600);
  const size = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      size[i][j] = a[i] === b[j] ? size[i + 1][j + 1] + 1 : Math.max(size[i + 1][j], size[i][j + 1]);
  const out = [];
  let i = 0,
    j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push(`  ${b[j]}\n`);
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || size[i + 1][j] >= size[i][j + 1]))
      out.push(h("span", { class: "del" }, `- ${a[i++]}\n`));
    else out.push(h("span", { class: "add" }, `+ ${b[j++]}\n`));
  }
  return out;
}
