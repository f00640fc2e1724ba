// The page of `dersim fleet`: the whole fleet, its shards and workers, one DER, load and log.
import { getPlain } from "/static/js/api.js";
import { h, say, troubleLine } from "/static/js/dom.js";
import { frame, markCurrent, markStale, poll, staleNotice, startTheme } from "/static/js/shell.js";
import { LoadSection } from "/static/js/pages/fleet_load.js";
import { DerPage } from "./der.js";
import { FleetPage } from "./overview.js";

const PAGES = { fleet: "Fleet", der: "One DER", load: "Load" };

class Site {
  constructor() {
    this.live = h("span", { class: "pill warn", role: "status", id: "live" }, "Connecting");
    this.name = h("h1", {}, "Fleet");
    this.who = h("span", { class: "who" });
    this.notice = staleNotice();
    this.trouble = troubleLine();
    this.place = h("div", {});
    this.overview = new FleetPage();
    this.der = new DerPage();
    this.measured = new LoadSection();
    this.nodes = { fleet: this.overview.node, der: this.der.node, load: this.measured.node };
    this.links = new Map(
      Object.entries(PAGES).map(([name, title]) => [name, h("a", { href: `#${name}` }, title)]),
    );
    this.heardAt = null;
  }

  start() {
    startTheme();
    const items = [...this.links.values()].map((link) => h("li", {}, link));
    this.side = frame({
      brand: "fleet",
      label: "Pages",
      menu: [h("ul", { class: "nav" }, items)],
      head: [this.name, this.who],
      tools: this.live,
      content: [this.notice, this.trouble, this.place],
    });
    this.place.append(...Object.values(this.nodes));
    addEventListener("hashchange", () => this.open());
    this.open();
    poll(1, () => this.turn(), this.trouble);
  }

  open() {
    const [wanted, number] = location.hash.slice(1).split("/");
    const name = wanted in PAGES ? wanted : "fleet";
    for (const [each, node] of Object.entries(this.nodes)) node.hidden = each !== name;
    for (const [each, link] of this.links) markCurrent(link, each === name);
    this.side.classList.remove("open");
    document.title = `${PAGES[name]} – dersim fleet`;
    this.shown = name;
    if (name === "der" && number) this.der.show(Number(number));
  }

  async turn() {
    try {
      const news = await getPlain("/api/fleet");
      if (this.shown === "load") await this.measured.load();
      if (this.shown === "der") await this.der.turn();
      this.heard(news);
    } catch (error) {
      if (error.status !== 0) throw error;
      this.showLink(false);
    }
  }

  heard(news) {
    this.heardAt = Date.now();
    this.showLink(true);
    this.side.querySelector("small").textContent = `fleet ${news.version}`;
    say(this.name, `${news.ders} DERs`);
    say(this.who, `${news.target}, ${news.edition} edition, --seed ${news.seed}`);
    this.overview.update(news);
    this.der.range(news);
  }

  showLink(live) {
    say(this.live, live ? "Live" : "Connection lost, trying again");
    this.live.className = live ? "pill good" : "pill bad";
    markStale(this.notice, !live, this.heardAt);
  }
}

new Site().start();
