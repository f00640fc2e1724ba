// The lab page: a menu of two programs; of the one chosen, its settings, start, stop, state and log.
import { h, s, say, show } from "/static/js/dom.js";
import { flipTheme, startTheme } from "/static/js/shell.js";
import { clockMs } from "/static/js/format.js";
import { ask } from "./api.js";
import { openSettings } from "./settings.js";

const STATES = {
  stopped: ["Stopped", "pill muted"],
  starting: ["Starting", "pill warn"],
  running: ["Running", "pill good"],
  stopping: ["Stopping", "pill warn"],
  exited: ["Ended", "pill bad"],
};
const LINKS = {
  dashboard: "Open the dashboard",
  csip_ui: "Open the CSIP management UI",
};
const STAMPED = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/s;
const KEPT_LINES = 2000;

const icon = (path) => s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: path }));
const GEAR =
  "M19.4 13a7.6 7.6 0 0 0 0-2l2-1.6-2-3.5-2.4 1a7.4 7.4 0 0 0-1.7-1L14.900 3.300h-4l-.4 2.600a7.400 7.400 0 0 0-1.700 1l-2.400-1-2 3.500L6.400 11a7.600 7.600 0 0 0 0 2l-2 1.600 2 3.500 2.400-1a7.400 7.400 0 0 0 1.700 1l.4 2.600h4l.4-2.600a7.400 7.400 0 0 0 1.700-1l2.400 1 2-3.500zM12.900 15.300a3.300 3.300 0 1 1 0-6.600 3.300 3.300 0 0 1 0 6.600z";
const PLAY = "M7 4v16l13-8z";
const HALT = "M6 6h12v12H6z";

const isUp = (state) => ["starting", "running", "stopping"].includes(state);
const isError = (text) =>
  /\bERROR\b|\bError\b|^dersim: |cannot be started|ended: (exit code [^0]|ended by)/.test(text);

// The panel of one program; it lives as long as the page, shown or not, so that its log is kept.
function makePanel(key, title, refresh) {
  const state = h("span", { class: STATES.stopped[1], role: "status" }, STATES.stopped[0]);
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const facts = h("p", { class: "note" });
  const command = h("code", {});
  const addresses = h("div", {});
  const lines = h("div", {
    class: "lines mono",
    role: "log",
    "aria-label": `Log of ${title}`,
    tabindex: "0",
  });
  const follow = h("input", { type: "checkbox", checked: true });

  const toEnd = () => {
    if (follow.checked) lines.scrollTop = lines.scrollHeight;
  };
  follow.addEventListener("change", toEnd);
  new ResizeObserver(toEnd).observe(lines); // also when the panel is shown again

  async function press(what) {
    trouble.hidden = true;
    try {
      await ask("POST", `programs/${key}/${what}`);
    } catch (error) {
      trouble.hidden = false;
      trouble.textContent = error.hint ? `${error.message} ${error.hint}` : error.message;
    }
  }
  const gear = h(
    "button",
    {
      class: "gear",
      "aria-label": `Settings of ${title}`,
      onclick: async () => {
        try {
          await openSettings(key, refresh);
        } catch (error) {
          trouble.hidden = false;
          trouble.textContent = error.message;
        }
      },
    },
    icon(GEAR),
    "Settings",
  );
  const start = h("button", { class: "go", onclick: () => press("start") }, icon(PLAY), "Start");
  const stop = h(
    "button",
    { class: "halt", disabled: true, onclick: () => press("stop") },
    icon(HALT),
    "Stop",
  );

  const root = h(
    "div",
    { class: "program", "data-program": key },
    h(
      "section",
      { class: "card" },
      h("div", { class: "row spread" }, h("h2", {}, title), state),
      h("div", { class: "row" }, gear, start, stop),
      trouble,
      facts,
      h("p", { class: "note" }, "Command: ", command),
      addresses,
    ),
    h(
      "section",
      { class: "card" },
      h("div", { class: "row spread" }, h("h2", {}, "Log"), h("label", { class: "note" }, follow, "Follow")),
      lines,
    ),
  );

  function addLines(log) {
    for (const line of log) {
      const kind = line.stream === "lab" ? "lab" : isError(line.text) ? "error" : null;
      // A program's own time says more than when the lab heard of it.
      const [, time, text] = STAMPED.exec(line.text) || [null, line.time, line.text];
      lines.append(
        h("div", { class: kind }, h("time", { datetime: time }, clockMs(time)), h("span", {}, text)),
      );
    }
    while (lines.childElementCount > KEPT_LINES) lines.firstChild.remove();
    if (log.length) toEnd();
  }

  function update(news) {
    [state.textContent, state.className] = STATES[news.state];
    start.disabled = isUp(news.state);
    stop.disabled = !["starting", "running"].includes(news.state);
    say(command, news.command);
    say(
      facts,
      isUp(news.state)
        ? `Process ${news.pid ?? "–"}, started ${clockMs(news.started)}`
        : news.exit_text
          ? `Last run: ${news.exit_text}`
          : "Not started yet.",
    );
    // Of many DERs the first one's addresses, and how many more there are: the log has them all.
    const all = Object.entries(news.addresses),
      first = all.filter(([name]) => !/_\d+$/.test(name));
    show(
      addresses,
      first.map(([name, url]) =>
        h(
          "p",
          { class: "note" },
          `${name}: `,
          url.startsWith("http://") ? h("a", { href: url, target: "_blank", rel: "noopener" }, url) : url,
        ),
      ),
      all.length > first.length
        ? h("p", { class: "note" }, `and ${all.length - first.length} more, in the log's ready line`)
        : null,
    );
    addLines(news.log);
  }
  return { root, update, gear };
}

function startPage() {
  startTheme();
  const live = h("span", { class: "pill warn", role: "status", id: "live" }, "Connecting");
  const ready = h("section", { class: "card", id: "dashboards", hidden: true });
  const advice = h("div", {});
  const place = h("div", { id: "page", tabindex: "-1" });
  const menu = h("ul", { class: "nav" });
  const side = h(
    "div",
    { class: "side" },
    h("div", { class: "brand" }, "dersim", h("small", {}, "lab")),
    h("button", { class: "menu-button", onclick: () => side.classList.toggle("open") }, "Menu"),
    h("nav", { "aria-label": "Simulators" }, h("h2", { class: "menu-title" }, "Simulators"), menu),
  );
  show(
    document.body,
    h(
      "a",
      {
        class: "skip",
        href: "#page",
        onclick: (e) => {
          e.preventDefault();
          place.focus();
        },
      },
      "Skip to content",
    ),
    h(
      "div",
      { class: "shell" },
      side,
      h(
        "main",
        {},
        h(
          "header",
          { class: "head" },
          h("h1", {}, "Simulators"),
          h("div", { class: "right" }, live, h("button", { onclick: flipTheme }, "Light / dark")),
        ),
        ready,
        advice,
        place,
      ),
    ),
  );

  const panels = new Map();
  let asking = null;
  const refresh = () => asking && asking.abort();

  function choose() {
    const wanted = location.hash.slice(1);
    const key = panels.has(wanted) ? wanted : panels.keys().next().value;
    side.classList.remove("open");
    for (const [name, each] of panels) {
      name === key
        ? each.link.setAttribute("aria-current", "page")
        : each.link.removeAttribute("aria-current");
      each.root.hidden = name !== key;
    }
    if (panels.has(key)) document.title = `${panels.get(key).title} – dersim lab`;
  }

  function panelOf(news) {
    const known = panels.get(news.program);
    if (known) return known;
    const word = h("small", {}, "");
    const panel = makePanel(news.program, news.title, refresh);
    panel.title = news.title;
    panel.word = word;
    panel.link = h("a", { href: `#${news.program}` }, news.title, word);
    panels.set(news.program, panel);
    menu.append(h("li", {}, panel.link));
    place.append(panel.root);
    choose();
    return panel;
  }

  function showReady(news) {
    const addresses = Object.assign({}, ...news.programs.map((each) => each.addresses));
    const key = JSON.stringify([news.both_run, addresses]);
    if (ready.dataset.key === key) return;
    ready.dataset.key = key;
    ready.hidden = !news.both_run;
    show(
      ready,
      h("h2", {}, "Both programs run"),
      h(
        "div",
        { class: "links" },
        Object.entries(LINKS)
          .filter(([name]) => addresses[name])
          .map(([name, words]) =>
            h("a", { class: "button", href: addresses[name], target: "_blank", rel: "noopener" }, words),
          ),
      ),
    );
  }

  let seen = { version: -1 };
  function heard(news) {
    for (const each of news.programs) {
      const panel = panelOf(each);
      panel.update(each);
      say(panel.word, STATES[each.state][0]);
      if (each.log.length) seen[each.program] = each.log[each.log.length - 1].id;
    }
    seen.version = news.version;
    showReady(news);
    show(
      advice,
      news.advice.map((text) => h("p", { class: "advice" }, text)),
    );
  }

  let lost = false;
  async function listen() {
    for (;;) {
      asking = new AbortController();
      try {
        const answer = await fetch(`/api/lab/state?${new URLSearchParams(seen)}`, { signal: asking.signal });
        if (!answer.ok) throw new Error(answer.statusText);
        const news = await answer.json();
        if (lost) for (const each of panels.values()) each.root.querySelector(".lines").replaceChildren();
        lost = false;
        [live.textContent, live.className] = ["Live", "pill good"];
        heard(news);
      } catch (error) {
        if (error.name === "AbortError") {
          seen.version = -1;
          continue;
        }
        lost = true;
        seen = { version: -1 }; // after a restart of the lab everything is numbered anew
        [live.textContent, live.className] = ["Connection lost, trying again", "pill bad"];
      }
      await new Promise((done) => setTimeout(done, lost ? 1000 : 150));
    }
  }

  addEventListener("hashchange", choose);
  listen();
}

startPage();
