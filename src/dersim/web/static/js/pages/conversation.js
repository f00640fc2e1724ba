// The conversation with the server: every exchange, its bodies, and what changed since the last one there.
import { card, h, pairs, show } from "../dom.js";
import { getPlain, currentDevice } from "../api.js";
import { bytes, clockMs, num, utc } from "../format.js";

const KEEP = 400;

export function mount(root, context) {
  let after = 0,
    timer = 0,
    gone = false,
    paused = false,
    chosen = null;
  const filter = h("input", {
    type: "search",
    placeholder: "path, method or status",
    "aria-label": "Filter",
    oninput: () => sift(),
  });
  const all = h("input", { type: "checkbox", id: "all-devices", onchange: restart });
  const hold = h(
    "button",
    {
      onclick: () => {
        paused = !paused;
        hold.textContent = paused ? "Go on" : "Pause";
      },
    },
    "Pause",
  );
  const body = h("tbody", {}),
    trouble = h("p", { class: "trouble", hidden: true }),
    detail = h("div", { tabindex: -1 }, h("p", { class: "empty" }, "Choose an exchange."));
  const link = (path, text) => h("a", { class: "button", href: path, download: true }, text);
  show(
    root,
    card(
      "Conversation with the server",
      h(
        "div",
        { class: "row" },
        filter,
        h("label", { for: "all-devices" }, all, "all DERs"),
        hold,
        link("/api/dersim/conversation/export.jsonl", "Export JSONL"),
        link("/api/dersim/conversation/export.har", "Export HAR"),
      ),
      trouble,
      h(
        "div",
        { class: "scroll", style: { "max-height": "24rem", "overflow-y": "auto" } },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ["Time", "DER", "Method", "Path", "Status", "ms", "Sent", "Received", "Verdict"].map((t) =>
                h(
                  "th",
                  { scope: "col", class: ["DER", "ms", "Sent", "Received"].includes(t) ? "n" : null },
                  t,
                ),
              ),
            ),
          ),
          body,
        ),
      ),
    ),
    card("Exchange", detail),
  );

  const path = (url) => {
    try {
      const u = new URL(url);
      return u.pathname + u.search;
    } catch {
      return url;
    }
  };
  function row(e) {
    const bad = e.status === 0 || e.status >= 400;
    const tr = h(
      "tr",
      {
        class: "pick",
        tabindex: 0,
        onclick: () => open(e.id, tr),
        onkeydown: (k) => {
          if (k.key === "Enter") open(e.id, tr);
        },
      },
      h("td", { class: "t", title: utc(e.time) }, clockMs(e.time)),
      h("td", { class: "n" }, e.device),
      h("td", {}, e.method),
      h("td", { class: "mono" }, path(e.url)),
      h("td", { class: bad ? "bad" : "" }, e.status || "no answer"),
      h("td", { class: "n" }, num(e.elapsed_ms, 1)),
      h("td", { class: "n" }, bytes(e.request_bytes)),
      h("td", { class: "n" }, bytes(e.response_bytes)),
      h("td", {}, e.verdict),
    );
    tr.dataset.words = `${e.method} ${e.url} ${e.status} ${e.verdict}`.toLowerCase();
    tr.dataset.id = e.id;
    return tr;
  }
  function sift() {
    const word = filter.value.toLowerCase();
    for (const tr of body.children) tr.hidden = !tr.dataset.words.includes(word);
  }
  function restart() {
    after = 0;
    show(body);
    load();
  }
  async function load() {
    clearTimeout(timer);
    try {
      if (!paused) {
        const found = await getPlain("/api/dersim/conversation", {
          device: all.checked ? null : currentDevice(),
          after,
          limit: KEEP,
        });
        for (const e of found.exchanges) {
          body.prepend(row(e));
          after = e.id;
        }
        while (body.children.length > KEEP) body.lastChild.remove();
        if (found.exchanges.length) sift();
      }
      trouble.hidden = true;
    } catch (error) {
      trouble.hidden = false;
      trouble.textContent = error.message;
    }
    if (!gone) timer = setTimeout(load, 1500);
  }
  async function open(id, tr) {
    if (chosen) chosen.removeAttribute("aria-selected");
    chosen = tr;
    tr.setAttribute("aria-selected", "true");
    try {
      const e = await getPlain("/api/dersim/conversation/exchange", { id });
      const before = e.previous
        ? await getPlain("/api/dersim/conversation/exchange", { id: e.previous }).catch(() => null)
        : null;
      const heads = (list) => h("pre", {}, list.map(([k, v]) => `${k}: ${v}`).join("\n") || "(none)");
      const part = (title, headers, text, old) => [
        h("h3", {}, title),
        h("details", {}, h("summary", {}, `${headers.length} headers`), heads(headers)),
        text
          ? h(
              "pre",
              {},
              old === undefined || old === null || old === text
                ? pretty(text)
                : difference(pretty(old), pretty(text)),
            )
          : null,
        text && old === text ? h("p", { class: "note" }, "The same as the last time.") : null,
      ];
      show(
        detail,
        pairs([
          ["Request", `${e.method} ${e.url}`],
          ["Sent", utc(e.time)],
          ["Status", `${e.status || "no answer"} in ${num(e.elapsed_ms, 1)} ms`],
          ["Verdict", e.verdict || "–"],
        ]),
        h(
          "div",
          { class: "row" },
          h(
            "button",
            {
              onclick: (k) => {
                navigator.clipboard?.writeText(curl(e));
                k.target.textContent = "Copied";
              },
            },
            "Copy as curl",
          ),
          before
            ? h("span", { class: "muted" }, `compared with exchange ${before.id}, ${clockMs(before.time)}`)
            : null,
        ),
        part("Request body", e.request_headers, e.request_body, before?.request_body),
        part("Answer", e.response_headers, e.response_body, before?.response_body),
      );
    } catch (error) {
      show(detail, h("p", { class: "trouble" }, error.message));
    }
  }
  load();
  return {
    unmount() {
      gone = true;
      clearTimeout(timer);
    },
  };
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

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
export function curl(e) {
  const heads = e.request_headers
    .filter(([k]) => !["host", "content-length", "connection"].includes(k.toLowerCase()))
    .map(([k, v]) => `-H ${quote(`${k}: ${v}`)}`);
  const tls = e.url.startsWith("https:") ? "--cert cert.pem --key key.pem --cacert root.pem" : "";
  return [
    "curl",
    "-i",
    tls,
    "-X",
    e.method,
    quote(e.url),
    ...heads,
    e.request_body ? `--data ${quote(e.request_body)}` : "",
  ]
    .filter(Boolean)
    .join(" ");
}
