// The frame around the pages: navigation by the address' hash, header, theme, device choice, live stream.
import { h, options, say, show } from "./dom.js";
import { currentDevice, get, getPlain, setDevice, startWith } from "./api.js";
import { clock, shortId } from "./format.js";
import { Stream } from "./stream.js";

const LIVE = {
  live: ["Live", "pill good"],
  lost: ["Connection lost, trying again", "pill bad"],
  wait: ["Connecting", "pill warn"],
  none: ["No such device", "pill bad"],
};

// The other sites of a run, by their names in `server-info`.
const SITES = { dashboard: "Dashboard", csip_ui: "CSIP management", utility_admin: "Utility", lab: "Lab" };
const OWN_MACHINE = ["127.0.0.1", "localhost", "[::1]"];

// Links to the sites that this browser can reach: from another machine a loopback address leads nowhere.
export function linksTo(addresses) {
  return Object.entries(SITES)
    .filter(([name]) => addresses[name] && addresses[name] !== location.origin)
    .map(([name, title]) => [new URL(addresses[name]), title])
    .filter(([{ hostname }]) => OWN_MACHINE.includes(location.hostname) || !OWN_MACHINE.includes(hostname))
    .map(([{ href }, title]) => h("li", {}, h("a", { href }, title)));
}

// Of another run that has begun at this address.
const TOKEN_NEEDED = "The simulator asks for its token now. Open this address with ?token= and the token.";
const NOT_FETCHED = "This page could not be fetched. It opens by itself once the simulator answers.";

export function demoBadge() {
  const badge = h("span", { class: "pill warn", id: "demo", hidden: true }, "DEMO");
  badge.title = "The utility and its controls are made up by --demo.";
  return badge;
}

// A run that breaks its own rules says so on every page; the log has the lines.
function brokenBadge() {
  return h("a", { class: "pill bad", id: "broken", href: "#logs", hidden: true });
}

function showBroken(badge, count) {
  badge.hidden = !count;
  if (count) say(badge, count === 1 ? "1 invariant violation" : `${count} invariant violations`);
}

// The frame of every site: the menu at the side, the header with `tools` at its right, and the content.
// brand: the site's name below ours; label: of the menu; menu: its nodes; head: what the header begins with.
export function frame({ brand, label, menu, head, tools, content }) {
  const toggle = () => side.classList.toggle("open");
  const side = h(
    "header",
    { class: "side" },
    h("div", { class: "brand" }, "dersim", h("small", {}, brand)),
    h("button", { class: "menu-button", onclick: toggle }, "Menu"),
    h("nav", { "aria-label": label }, menu),
  );
  const [page] = content.slice(-1);
  page.id = "page";
  page.tabIndex = -1;
  const skip = (event) => {
    event.preventDefault();
    page.focus();
  };
  const right = h("div", { class: "right" }, tools, h("button", { onclick: flipTheme }, "Light / dark"));
  show(
    document.body,
    h("a", { class: "skip", href: "#page", onclick: skip }, "Skip to content"),
    h("div", { class: "shell" }, side, h("main", {}, h("header", { class: "head" }, head, right), content)),
  );
  return side;
}

export const markCurrent = (link, current) =>
  current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");

export function startShell({ site, pages, panels = false }) {
  new Shell(site, pages, panels).start();
}

// The pages that plug-ins bring, as entries of the menu.
async function panelPages() {
  const { panels } = await getPlain("/api/dersim/plugins").catch(() => ({ panels: [] }));
  return panels.map(({ name, title }) => ({
    name: `panel-${name}`,
    title,
    load: () => import(`/panels/${encodeURIComponent(name)}.js`),
  }));
}

// The dashboard's frame: which page is open, for which device, and the live stream that feeds it.
class Shell {
  constructor(site, pages, panels) {
    this.site = site;
    this.pages = pages;
    this.panels = panels;
    this.context = { overview: null, count: 1, listeners: new Set() };
    this.context.reopen = () => this.open();
    this.context.choose = (number) => this.choose(number);
    this.live = h("span", { class: LIVE.wait[1], role: "status", id: "live" }, LIVE.wait[0]);
    this.name = h("h1", {}, "dersim");
    this.who = h("span", { class: "who" });
    const onchange = () => this.choose(Number(this.choice.value));
    this.choice = h("select", { "aria-label": "Device", onchange });
    this.choice.hidden = true;
    this.others = h("ul", { class: "nav others", "aria-label": "Other sites of this run", hidden: true });
    this.demo = demoBadge();
    this.broken = brokenBadge();
    this.content = h("div", {});
    this.notice = staleNotice();
    this.page = null;
    this.turn = 0;
    this.linkState = "wait";
    this.first = 1;
    this.offered = "";
  }

  async start() {
    if (this.panels) this.pages.splice(-2, 0, ...(await panelPages())); // before Plugins and API
    const link = ({ name, title }) => h("a", { href: `#${name}` }, title);
    this.links = new Map(this.pages.map((page) => [page.name, link(page)]));
    const items = [...this.links.values()].map((link) => h("li", {}, link));
    this.side = frame({
      brand: this.site,
      label: "Pages",
      menu: [h("ul", { class: "nav" }, items), this.others],
      head: [this.name, this.who],
      tools: [this.broken, this.demo, this.choice, this.live],
      content: [this.notice, this.content],
    });
    this.stream = new Stream(
      currentDevice(),
      (overview) => this.heard(overview),
      (state) => this.showLink(state),
    );
    const run = this.showRun();
    if (!currentDevice()) await run;
    startWith(this.first);
    addEventListener("hashchange", () => {
      // The menu of a phone; not when the first page comes while one looks at it.
      this.side.classList.remove("open");
      this.open();
    });
    this.describe();
    setInterval(() => this.describe(), 15000);
    this.open();
  }

  // What this run is: version, whether a demo, and its other sites.
  async showRun() {
    const info = await getPlain("/api/dersim/server-info").catch(() => null);
    if (!info) return; // the stream tells that the simulator is away
    this.side.querySelector("small").textContent = `${this.site} ${info.version}`;
    this.first = info.first_device;
    this.stream.patience = Math.max(15, (3 * info.tick_s) / info.rate);
    this.demo.hidden = !info.demo;
    const links = linksTo(info.links);
    this.others.hidden = !links.length;
    show(this.others, links);
  }

  async open() {
    const wanted = location.hash.slice(1).split("/")[0];
    const entry = this.pages.find((each) => each.name === wanted) || this.pages[0];
    const mine = ++this.turn;
    this.page?.unmount?.();
    this.page = null;
    for (const [key, link] of this.links) markCurrent(link, key === entry.name);
    document.title = `${entry.title} – dersim`;
    if (this.linkState === "none") return;
    const module = await entry.load().catch((error) => {
      if (!(error instanceof TypeError)) throw error;
      return null; // not fetched: the simulator went away in the middle; the page opens again when it is back
    });
    if (mine !== this.turn) return;
    if (!module) {
      show(this.content, h("p", { class: "trouble", role: "alert" }, NOT_FETCHED));
      return;
    }
    const root = h("div", {});
    show(this.content, root);
    this.page = module.mount(root, this.context) || {};
    if (this.context.overview) this.page.update?.(this.context.overview);
  }

  // Name and identity of the device, in the header.
  async describe() {
    try {
      const [plate, client] = await Promise.all([
        get("/api/dersim/nameplate").catch(() => null),
        get("/api/dersim/csip-client"),
      ]);
      this.context.client = client;
      this.context.plate = plate;
      say(this.name, plate ? plate.name : `Device ${currentDevice()}`);
      const rating = plate ? `${plate.ratings.rtgMaxW / 1000} kW, ` : "";
      const identity = client.lfdi ? `LFDI ${shortId(client.lfdi)}, SFDI ${client.sfdi}` : "no LFDI yet";
      say(this.who, `${rating}${identity}`);
      this.who.title = client.lfdi || "";
      if (this.linkState === "none") this.choose(currentDevice()); // another run has a device of this number
    } catch (error) {
      if (error.status === 404) this.refuse(error); // else the stream tells that the simulator is away
      if (error.status === 401) {
        say(this.notice, TOKEN_NEEDED);
        this.notice.hidden = false;
      }
    }
  }

  // There is no device of this number: say so instead of showing a page of it.
  refuse(error) {
    this.stream.close();
    this.showLink("none");
    this.page?.unmount?.();
    this.page = null;
    this.choice.hidden = true;
    show(this.choice);
    const first = h("button", { onclick: () => this.choose(this.first) }, `Open device ${this.first}`);
    say(this.name, `Device ${currentDevice()}`);
    say(this.who, "");
    const text = error.message[0].toUpperCase() + error.message.slice(1);
    show(this.content, h("p", { class: "trouble", role: "alert" }, `${text}.`), first);
  }

  choose(number) {
    setDevice(number);
    this.context.overview = null;
    if (this.linkState === "none") this.showLink("wait");
    this.stream.open(number);
    this.describe();
    this.open();
  }

  heard(overview) {
    const { context, choice } = this;
    const devices = overview.devices;
    startWith(devices[0].device);
    context.overview = overview;
    const entries = devices.map(({ device, name }) => [device, name]);
    if (String(entries) !== this.offered || !choice.options.length) {
      this.offered = String(entries);
      context.count = devices.length;
      choice.hidden = context.count < 2;
      show(choice, options(entries, currentDevice()));
    }
    choice.value = currentDevice();
    showBroken(this.broken, overview.violations);
    this.page?.update?.(overview);
  }

  showLink(state) {
    if (state === this.linkState) return;
    const back = this.linkState === "lost" && state === "live";
    this.linkState = state;
    [this.live.textContent, this.live.className] = LIVE[state];
    markStale(this.notice, state === "lost", this.context.overview?.time);
    if (back) {
      this.describe();
      this.showRun();
      this.open();
    }
  }
}

// Where a site says that its values are stale.
export const staleNotice = () => h("p", { class: "trouble", role: "alert", hidden: true });

// Values of a lost connection look like it, and say of when they are; since: the last instant heard of;
// who: does not answer.
export function markStale(notice, stale, since, who = "simulator") {
  document.body.classList.toggle("stale", stale);
  notice.hidden = !stale;
  const from = since ? ` since ${clock(since)}. All values below are from then` : "";
  say(notice, stale ? `The ${who} does not answer${from}.` : "");
}

export function startTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.theme = localStorage.getItem("theme") || (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", apply);
  apply();
}

export function flipTheme() {
  const root = document.documentElement;
  localStorage.setItem("theme", root.dataset.theme === "dark" ? "light" : "dark");
  root.dataset.theme = localStorage.getItem("theme");
  dispatchEvent(new Event("themechange"));
}

// Runs now and every `seconds`, never twice at a time, and not while the page is hidden; shows a failure in
// `trouble`. Returns a stop.
export function poll(seconds, work, trouble) {
  let timer = 0,
    stopped = false,
    begun = false;
  async function turn() {
    try {
      if (!document.hidden || !begun) await work();
      begun = true;
      if (trouble) trouble.hidden = true;
    } catch (error) {
      if (!(error && error.name === "ApiError") && !(error && "status" in error)) console.error(error);
      if (trouble) {
        trouble.hidden = false;
        trouble.textContent = sentence(error);
      }
    }
    if (!stopped) timer = setTimeout(turn, seconds * 1000);
  }
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

// What went wrong and what to do; an example of a body helps only those who write one.
function sentence({ message, hint }) {
  const end = /[.!?]$/.test(message) ? "" : ".";
  return hint && !hint.startsWith("for instance {") ? `${message}${end} ${hint}` : `${message}${end}`;
}

// Does something that a button asked for and tells how it went.
export async function act(place, work, words = "Done.") {
  try {
    const result = await work();
    show(
      place,
      h("p", { class: "done", role: "status" }, typeof words === "function" ? words(result) : words),
    );
    return result;
  } catch (error) {
    show(
      place,
      h("p", { class: "trouble", role: "alert" }, sentence(error)),
    );
    return null;
  }
}
