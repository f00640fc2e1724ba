// The lab page: a menu of two programs; of the one chosen, its settings, start, stop, state and log.
import { h, note, s, say, show, showChanged, stamp, troubleLine } from "/static/js/dom.js";
import { frame, markCurrent, markStale, staleNotice, startTheme } from "/static/js/shell.js";
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
  utility_admin: "Open the utility",
};
const STAMPED = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/s;
const KEPT_LINES = 2000;

const icon = (path) => s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: path }));
const GEAR =
  "M19.4 13a7.6 7.6 0 0 0 0-2l2-1.6-2-3.5-2.4 1a7.4 7.4 0 0 0-1.7-1L14.900 3.300h-4l-.4 2.600" +
  "a7.400 7.400 0 0 0-1.700 1l-2.400-1-2 3.500L6.400 11a7.600 7.600 0 0 0 0 2l-2 1.600 2 3.50" +
  "0 2.400-1a7.400 7.400 0 0 0 1.700 1l.4 2.600h4l.4-2.600a7.400 7.400 0 0 0 1.700-1l2.400 1 " +
  "2-3.500zM12.900 15.300a3.300 3.300 0 1 1 0-6.600 3.300 3.300 0 0 1 0 6.600z";
const PLAY = "M7 4v16l13-8z";
const HALT = "M6 6h12v12H6z";

const isUp = (state) => ["starting", "running", "stopping"].includes(state);
const isError = (text) =>
  /\bERROR\b|\bError\b|^dersim: |cannot be started|ended: (exit code [^0]|ended by)/.test(text);

// The panel of one program; it lives as long as the page, shown or not, so that its log is kept.
class Panel {
  constructor(key, title, refresh) {
    this.key = key;
    this.title = title;
    this.state = h("span", { class: STATES.stopped[1], role: "status" }, STATES.stopped[0]);
    this.trouble = troubleLine();
    this.trouble.setAttribute("role", "alert");
    this.facts = note();
    this.command = h("code", {});
    this.addresses = h("div", {});
    this.log = new Log(title);
    const settings = { class: "gear", "aria-label": `Settings of ${title}` };
    const press = (what) => this.attempt(() => ask("POST", `programs/${key}/${what}`));
    settings.onclick = () => this.attempt(() => openSettings(key, refresh));
    this.gear = h("button", settings, icon(GEAR), "Settings");
    this.start = h("button", { class: "go", onclick: () => press("start") }, icon(PLAY), "Start");
    this.stop = h("button", { class: "halt", onclick: () => press("stop") }, icon(HALT), "Stop");
    this.stop.disabled = true;
    this.root = h("div", { class: "program", "data-program": key }, this.controls(), this.log.root);
    // In the menu: the link, with the state in a word.
    this.word = h("small", {}, "");
    this.link = h("a", { href: `#${key}` }, title, this.word);
  }

  controls() {
    return h(
      "section",
      { class: "card" },
      h("div", { class: "row spread" }, h("h2", {}, this.title), this.state),
      h("div", { class: "row" }, this.gear, this.start, this.stop),
      this.trouble,
      this.facts,
      note("Command: ", this.command),
      this.addresses,
    );
  }

  async attempt(work) {
    this.trouble.hidden = true;
    try {
      await work();
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.hint ? `${error.message} ${error.hint}` : error.message;
    }
  }

  update(news) {
    const [word, look] = STATES[news.state];
    [this.state.textContent, this.state.className] = [word, look];
    say(this.word, word);
    this.start.disabled = isUp(news.state);
    this.stop.disabled = !["starting", "running"].includes(news.state);
    say(this.command, news.command);
    showChanged(this.facts, [news.state, news.pid, news.started, news.exit_text], () => factsOf(news));
    this.showAddresses(Object.entries(news.addresses));
    this.log.add(news.log);
  }

  // Of many DERs the addresses of the first, and how many more there are: the log has them all.
  showAddresses(all) {
    const first = all.filter(([name]) => !/_\d+$/.test(name));
    const more = `and ${all.length - first.length} more, in the log's ready line`;
    show(
      this.addresses,
      first.map(([name, url]) => note(`${name}: `, url.startsWith("http://") ? linkTo(url, url) : url)),
      all.length > first.length ? note(more) : null,
    );
  }
}

const linkTo = (url, text, look = null) =>
  h("a", { class: look, href: url, target: "_blank", rel: "noopener" }, text);

function factsOf({ state, pid, started, exit_text }) {
  if (isUp(state)) return [`Process ${pid ?? "–"}, started `, stamp(started, true)];
  return exit_text ? `Last run: ${exit_text}` : "Not started yet.";
}

// The log of a program; it follows the newest line while Follow is checked.
class Log {
  constructor(title) {
    const look = { class: "lines mono", role: "log", "aria-label": `Log of ${title}`, tabindex: "0" };
    this.lines = h("div", look);
    this.follow = h("input", { type: "checkbox", checked: true, onchange: () => this.toEnd() });
    new ResizeObserver(() => this.toEnd()).observe(this.lines); // also when the panel is shown again
    const head = h("div", { class: "row spread" }, h("h2", {}, "Log"));
    head.append(h("label", { class: "note" }, this.follow, "Follow"));
    this.root = h("section", { class: "card" }, head, this.lines);
  }

  toEnd() {
    if (this.follow.checked) this.lines.scrollTop = this.lines.scrollHeight;
  }

  add(log) {
    for (const line of log) {
      const kind = line.stream === "lab" ? "lab" : isError(line.text) ? "error" : null;
      // A program's own time is more exact than that of the lab.
      const [, time, text] = STAMPED.exec(line.text) || [null, line.time, line.text];
      const at = stamp(time, true);
      this.lines.append(h("div", { class: kind }, at, h("span", {}, text)));
    }
    while (this.lines.childElementCount > KEPT_LINES) this.lines.firstChild.remove();
    if (log.length) this.toEnd();
  }

  clear() {
    this.lines.replaceChildren();
  }
}

// The page: the panels, and the request that waits for news of them.
class LabPage {
  constructor() {
    this.live = h("span", { class: "pill warn", role: "status", id: "live" }, "Connecting");
    this.notice = staleNotice();
    this.heardAt = null;
    this.ready = h("section", { class: "card", id: "dashboards", hidden: true });
    this.advice = h("div", {});
    this.place = h("div", {});
    this.menu = h("ul", { class: "nav" });
    this.panels = new Map();
    this.asking = null;
    this.lost = false;
    // The version, and by program the id of the last line of its log.
    this.seen = { version: -1 };
  }

  start() {
    startTheme();
    this.side = frame({
      brand: "lab",
      label: "Simulators",
      menu: [h("h2", { class: "menu-title" }, "Simulators"), this.menu],
      head: h("h1", {}, "Simulators"),
      tools: this.live,
      content: [this.notice, this.ready, this.advice, this.place],
    });
    addEventListener("hashchange", () => this.choose());
    this.listen();
  }

  choose() {
    const wanted = location.hash.slice(1);
    const key = this.panels.has(wanted) ? wanted : this.panels.keys().next().value;
    this.side.classList.remove("open");
    for (const [name, panel] of this.panels) {
      markCurrent(panel.link, name === key);
      panel.root.hidden = name !== key;
    }
    if (this.panels.has(key)) document.title = `${this.panels.get(key).title} – dersim lab`;
  }

  panelOf({ program, title }) {
    const known = this.panels.get(program);
    if (known) return known;
    const panel = new Panel(program, title, () => this.asking?.abort());
    this.panels.set(program, panel);
    this.menu.append(h("li", {}, panel.link));
    this.place.append(panel.root);
    this.choose();
    return panel;
  }

  showReady(news) {
    const addresses = Object.assign({}, ...news.programs.map((each) => each.addresses));
    const key = JSON.stringify([news.both_run, addresses]);
    if (this.ready.dataset.key === key) return;
    this.ready.dataset.key = key;
    this.ready.hidden = !news.both_run;
    const links = Object.entries(LINKS)
      .filter(([name]) => addresses[name])
      .map(([name, words]) => linkTo(addresses[name], words, "button"));
    show(this.ready, h("h2", {}, "Both programs run"), h("div", { class: "links" }, links));
  }

  heard(news) {
    for (const each of news.programs) {
      this.panelOf(each).update(each);
      if (each.log.length) this.seen[each.program] = each.log[each.log.length - 1].id;
    }
    this.seen.version = news.version;
    this.showReady(news);
    show(
      this.advice,
      news.advice.map((text) => h("p", { class: "advice" }, text)),
    );
  }

  async listen() {
    for (;;) {
      this.asking = new AbortController();
      try {
        await this.askForNews();
      } catch (error) {
        if (error.name === "AbortError") {
          this.seen.version = -1;
          continue;
        }
        this.lost = true;
        this.seen = { version: -1 }; // after a restart of the lab everything is numbered anew
        [this.live.textContent, this.live.className] = ["Connection lost, trying again", "pill bad"];
        markStale(this.notice, true, this.heardAt);
      }
      await new Promise((done) => setTimeout(done, this.lost ? 1000 : 150));
    }
  }

  async askForNews() {
    const signal = this.asking.signal;
    const answer = await fetch(`/api/lab/state?${new URLSearchParams(this.seen)}`, { signal });
    if (!answer.ok) throw new Error(answer.statusText);
    const news = await answer.json();
    if (this.lost) for (const panel of this.panels.values()) panel.log.clear();
    this.lost = false;
    [this.live.textContent, this.live.className] = ["Live", "pill good"];
    markStale(this.notice, false);
    this.heardAt = Date.now();
    this.heard(news);
  }
}

new LabPage().start();
