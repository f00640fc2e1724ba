// One exchange with the server, whole: its verdict, headers, both bodies with what is wrong marked at its
// line, and what has changed since the exchange before at the same address.
import { h, instant, note, pairs, stamp } from "../dom.js";
import { getPlain } from "../api.js";
import { num } from "../format.js";
import { compared, documentOf } from "./exchange_text.js";

// address: of the conversation.
export const exchangeOf = (address, id) => getPlain(`${address}/exchange`, { id });

export function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return pathname + search;
  } catch {
    return url;
  }
}

const TINTS = { valid: "good", violations: "warn", "no body": "muted", "not judged": "muted" };
export const tint = (verdict) => TINTS[verdict] || "bad";

// before: the exchange to compare with, or null. address: of this page with this exchange. open: shows one.
export function detailOf(exchange, before, address, open) {
  const copy = async (event) => {
    const done = await navigator.clipboard?.writeText(exchange.curl).then(
      () => true,
      () => false,
    );
    event.target.textContent = done ? "Copied" : "Not allowed here; the command is below";
  };
  const [sent, received] = exchange.curl ? ["Sent", "Received"] : ["Request", "Answer"];
  const command = h("pre", { tabindex: 0 }, exchange.curl);
  return [
    factsOf(exchange),
    h(
      "div",
      { class: "row" },
      exchange.curl ? h("button", { onclick: copy }, "Copy as curl") : null,
      h("a", { class: "button", href: address }, "Link to this exchange"),
      before ? comparedWith(before, open) : null,
    ),
    exchange.curl ? h("details", {}, h("summary", {}, "The command"), command) : null,
    message(sent, exchange.request_headers, exchange.request_check, before?.request_check),
    message(received, exchange.response_headers, exchange.response_check, before?.response_check),
  ];
}

const deviceOf = (lfdi) =>
  lfdi ? h("a", { class: "mono", href: `#devices/${lfdi}` }, lfdi) : "no EndDevice";

// The server keeps neither headers nor how long it took.
function factsOf({ method, url, cause, time, status, elapsed_ms, outcome, verdict, lfdi, curl }) {
  const took = curl ? ` in ${num(elapsed_ms, 1)} ms` : "";
  return pairs([
    ["Request", `${method} ${url}`],
    curl ? ["Cause", cause] : ["Device", deviceOf(lfdi)],
    [curl ? "Sent" : "Received", instant(time, true)],
    ["Answer", `${status || "none"}${took}: ${outcome}`],
    ["Verdict", h("b", { class: tint(verdict) }, verdict)],
  ]);
}

function comparedWith(before, open) {
  const link = h("button", { onclick: () => open(before.id) }, `exchange ${before.id}`);
  return h("span", { class: "muted" }, "compared with ", link, " of ", stamp(before.time, true));
}

// Headers, verdict and body of a message. old: the check of the body to compare with.
function message(title, headers, check, old) {
  const count = `${headers.length} headers`;
  const heads = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  const text = check.indented;
  const changed = Boolean(old?.indented) && old.indented !== text;
  const lines = changed ? compared(old.indented, text) : compared(text, text);
  return [
    h("h3", {}, check.resource ? `${title}: ${check.resource}` : title),
    h("p", { class: `check ${tint(check.verdict)}` }, verdictOf(check)),
    list("What violates the schema", check.violations),
    list("What our reader drops, takes by default, or keeps as it is", check.reader),
    headers.length > 1 ? h("details", {}, h("summary", {}, count), h("pre", { tabindex: 0 }, heads)) : null,
    text ? documentOf(lines, [...check.violations, ...check.reader]) : null,
    text && old?.indented === text ? note("The same as the last time.") : null,
  ];
}

function verdictOf({ verdict, editions, edition, violations }) {
  const all = editions.join(" and ");
  if (verdict === "valid") return `valid in the edition${editions[1] ? "s" : ""} of ${all}`;
  if (verdict === "not judged") return "not judged: no 2030.5 document, or too long to be kept whole";
  if (verdict === "no body") return "no body";
  if (!edition) return `${verdict}: not a 2030.5 document`;
  const count = violations.length === 1 ? "1 violation" : `${violations.length} violations`;
  const more = violations.length >= 8 ? " or more" : "";
  return `${verdict}: valid in neither edition; nearest to that of ${edition}, with ${count}${more}`;
}

function list(title, findings) {
  if (!findings.length) return null;
  const item = ({ line, path, message: why }) =>
    h("li", {}, line ? `line ${line}: ` : "", h("code", {}, path), ` ${why}`);
  return [h("p", { class: "note" }, `${title}:`), h("ul", { class: "findings" }, findings.map(item))];
}
