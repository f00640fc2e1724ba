// Logs: by module and level, live.
import { card, h, show } from "../dom.js";
import { getPlain } from "../api.js";
import { clockMs, utc } from "../format.js";

const LEVELS = ["Debug", "Info", "Warning", "Error"];
const TINT = { Warning: "warn", Error: "bad", Debug: "muted" };
const KEEP = 500;

export function mount(root) {
  let after = 0,
    polling = true,
    timer = 0,
    gone = false,
    known = "";
  let level = "Info";
  const module = h(
    "select",
    { id: "log-module", onchange: reset },
    h("option", { value: "" }, "all modules"),
  );
  const asked = new URLSearchParams(location.hash.split("?")[1] || "").get("module");
  const chips = LEVELS.map((name) =>
    h(
      "button",
      {
        "aria-pressed": String(name === level),
        onclick: () => {
          level = name;
          chips.forEach((c) => c.setAttribute("aria-pressed", String(c.textContent === name)));
          reset();
        },
      },
      name,
    ),
  );
  const run = h(
    "button",
    {
      onclick: () => {
        polling = !polling;
        run.textContent = polling ? "Stop polling" : "Start polling";
        if (polling) load();
      },
    },
    "Stop polling",
  );
  const head = h("tr", {}),
    body = h("tbody", {}),
    trouble = h("p", { class: "trouble", hidden: true }),
    count = h("span", { class: "muted" });
  show(
    root,
    card(
      "Logs",
      h(
        "div",
        { class: "row" },
        h("label", { for: "log-module" }, "Module"),
        module,
        h("span", { class: "muted" }, "from level"),
        chips,
        run,
        count,
      ),
      trouble,
      h("div", { class: "scroll" }, h("table", { class: "logs" }, h("thead", {}, head), body)),
    ),
  );

  function reset() {
    after = 0;
    show(body);
    load();
  }
  function row(e) {
    return h(
      "tr",
      { class: TINT[e.level] || null },
      h("td", { class: "t", title: utc(e.timestamp) }, clockMs(e.timestamp)),
      h("td", {}, e.level),
      module.value ? null : h("td", {}, e.module),
      h("td", { class: "n" }, e.device || ""),
      h("td", { class: "msg" }, e.message),
    );
  }
  async function load() {
    clearTimeout(timer);
    try {
      const found = await getPlain("/api/dersim/logs", {
        modules: module.value,
        level,
        limit: KEEP,
        after: after || null,
      });
      trouble.hidden = true;
      if (found.modules.join() !== known) {
        known = found.modules.join();
        const chosen = module.value || asked || "";
        show(
          module,
          h("option", { value: "" }, "all modules"),
          found.modules.map((m) => h("option", { value: m, selected: m === chosen }, m)),
        );
      }
      show(
        head,
        ["Time", "Level", module.value ? null : "Module", "DER", "Message"]
          .filter(Boolean)
          .map((t) => h("th", { scope: "col" }, t)),
      );
      for (const entry of found.logs) body.prepend(row(entry));
      while (body.children.length > KEEP) body.lastChild.remove();
      after = after && found.logs.length === KEEP ? found.logs[KEEP - 1].id : found.last_id;
      count.textContent = `${body.children.length} entries, newest first`;
    } catch (error) {
      trouble.hidden = false;
      trouble.textContent = error.message;
    }
    if (polling && !gone) timer = setTimeout(load, 1000);
  }
  load();
  return {
    unmount() {
      gone = true;
      clearTimeout(timer);
    },
  };
}
