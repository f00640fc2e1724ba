// The utility's page: its views, each loaded when it is first opened, by the address' hash.
//
// A view is a module with `export const view = {title, show(root, context)}`; `show` fills `root` and returns
// what stops it. context: {server, parts, open}: what GET /api/utility/server said, the words of the address
// after the view's name (#devices/ABC: ["ABC"]), and `open("devices", "ABC")`. A plug-in's view is a module
// with `mount(root, context)`, which may return `{ unmount }`; GET /api/utility/server has them in `panels`.
import { getPlain, useToken } from "./api.js";
import { card, h, note, say, show } from "./dom.js";
import { demoBadge, frame, linksTo, markCurrent, markStale, poll, staleNotice, startTheme } from "./shell.js";

const VIEWS = [
  { name: "devices", title: "Devices", load: () => import("./views/devices.js") },
  { name: "programs", title: "Programs", load: () => import("./views/programs.js") },
  { name: "controls", title: "Controls", load: () => import("./views/controls.js") },
  { name: "timeline", title: "Timeline", load: () => import("./views/timeline.js") },
  { name: "readings", title: "Readings", load: () => import("./views/readings.js") },
  { name: "log-events", title: "Log events", load: () => import("./views/log_events.js") },
  { name: "subscriptions", title: "Subscriptions", load: () => import("./views/subscriptions.js") },
  { name: "conversation", title: "Conversation", load: () => import("./views/conversation.js") },
  { name: "faults", title: "Faults", load: () => import("./views/faults.js") },
  { name: "scenario", title: "Scenario", load: () => import("./views/scenario.js") },
  { name: "api", title: "REST API", load: () => import("./views/rest.js") },
];
const SECONDS = 3;
const panelView = ({ name, title }) => ({
  name,
  title,
  load: async () => {
    const { mount } = await import(`/panels/${name}.js`);
    const show = (root, context) => {
      const mounted = mount(root, context);
      return () => mounted?.unmount?.();
    };
    return { view: { title, show } };
  },
});
const NOT_FETCHED = "This view could not be fetched. It opens once the server answers.";

const LIVE = {
  live: ["Live", "pill good"],
  lost: ["Connection lost, trying again", "pill bad"],
  locked: ["Token needed", "pill warn"],
};
const TOKEN_NEEDED = "This server asks for its admin token, which is kept until this tab is closed.";

class Page {
  constructor() {
    this.views = VIEWS;
    this.menu = h("ul", { class: "nav" });
    this.offerViews([]);
    this.others = h("ul", { class: "nav others", "aria-label": "Other sites of this run", hidden: true });
    this.demo = demoBadge();
    this.live = h("span", { class: "pill warn", role: "status", id: "live" }, "Connecting");
    this.who = h("span", { class: "who" });
    this.title = h("h1", {}, "2030.5 server");
    this.notice = staleNotice();
    this.content = h("div", {});
    this.stop = null;
    this.turn = 0;
    this.server = null;
    this.locked = false;
  }

  async start() {
    startTheme();
    this.side = frame({
      brand: "2030.5 server",
      label: "Views",
      menu: [this.menu, this.others],
      head: [this.title, this.who],
      tools: [this.demo, this.live],
      content: [this.notice, this.content],
    });
    await this.look();
    poll(SECONDS, () => this.locked || this.look());
    addEventListener("hashchange", () => this.open());
    this.open();
  }

  // The menu: our views, then those of plug-ins.
  offerViews(panels) {
    this.views = [...VIEWS, ...panels.map(panelView)];
    this.links = new Map(this.views.map(({ name, title }) => [name, h("a", { href: `#${name}` }, title)]));
    this.offered = JSON.stringify(panels);
    show(
      this.menu,
      [...this.links.values()].map((link) => h("li", {}, link)),
    );
  }

  // Which server this is, and whether it is still there.
  async look() {
    let locked = false;
    const server = await getPlain("/api/utility/server").catch(({ status }) => {
      locked = status === 401;
      return null;
    });
    const back = server && (this.lost || this.locked);
    this.lost = !server && !locked;
    [this.live.textContent, this.live.className] = LIVE[server ? "live" : locked ? "locked" : "lost"];
    markStale(this.notice, this.lost, this.server?.time, "server");
    if (locked && !this.locked) this.askForToken();
    if (!this.lost) this.locked = locked;
    if (!server) return;
    this.server = server;
    this.describe(server);
    if (back) this.open();
  }

  askForToken() {
    this.stop?.();
    this.stop = null;
    const field = h("input", { type: "password", autocomplete: "off", required: true });
    const told = h("p", { class: "trouble", role: "alert", hidden: true }, "This is not its token.");
    const button = h("button", { class: "main" }, "Open");
    const onsubmit = async (event) => {
      event.preventDefault();
      useToken(field.value.trim());
      await this.look();
      told.hidden = !this.locked;
    };
    const form = h("form", { class: "row", onsubmit }, h("label", {}, "Token", field), button);
    show(this.content, card("Token", note(TOKEN_NEEDED), form, told));
    field.focus();
  }

  describe({ version, url, edition, demo, panels = [], links }) {
    if (JSON.stringify(panels) !== this.offered) this.offerViews(panels);
    say(this.side.querySelector("small"), `2030.5 server ${version}`);
    say(this.who, `${url}, edition ${edition ?? "2018 or 2023, as each device speaks"}`);
    this.demo.hidden = !demo;
    const others = linksTo(links);
    this.others.hidden = !others.length;
    if (JSON.stringify(links) !== this.linked) show(this.others, others);
    this.linked = JSON.stringify(links);
  }

  async open() {
    const [wanted, ...parts] = location.hash.slice(1).split("/").map(decoded);
    const entry = this.views.find(({ name }) => name === wanted) || VIEWS[0];
    const mine = ++this.turn;
    for (const [name, link] of this.links) markCurrent(link, name === entry.name);
    this.side.classList.remove("open");
    if (this.locked) return;
    const module = await entry.load().catch((error) => {
      if (!(error instanceof TypeError)) throw error;
      return null; // the server went away in the middle; the view opens again when it is back
    });
    if (mine !== this.turn) return;
    this.stop?.();
    this.stop = null;
    document.title = `${entry.title} – dersim 2030.5 server`;
    if (!module) {
      show(this.content, h("p", { class: "trouble", role: "alert" }, NOT_FETCHED));
      return;
    }
    const root = h("div", {});
    show(this.content, root);
    const { server } = this;
    this.stop = module.view.show(root, { server, parts, open: go });
  }
}

// The address may have been typed.
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

function go(...words) {
  location.hash = words.map(encodeURIComponent).join("/");
}

new Page().start();
