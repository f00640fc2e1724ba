// The frame around the pages: navigation by the address' hash, header, theme, device choice, live stream.
import { h, say, show } from "./dom.js";
import { currentDevice, get, getPlain, setDevice } from "./api.js";
import { shortId } from "./format.js";
import { Stream } from "./stream.js";

const LIVE = {
  live: ["Live", "pill good"],
  lost: ["Connection lost, trying again", "pill bad"],
  wait: ["Connecting", "pill warn"],
};

export function startShell({ site, pages }) {
  const context = { overview: null, count: 1, listeners: new Set() };
  const live = h("span", { class: LIVE.wait[1], role: "status", id: "live" }, LIVE.wait[0]);
  const name = h("h1", {}, "dersim");
  const who = h("span", { class: "who" });
  const choice = h("select", { "aria-label": "Device", onchange: () => choose(Number(choice.value)) });
  const links = new Map(pages.map((page) => [page.name, h("a", { href: `#${page.name}` }, page.title)]));
  const content = h("div", { id: "page" });
  const side = h(
    "div",
    { class: "side" },
    h("div", { class: "brand" }, "dersim", h("small", {}, site)),
    h("button", { class: "menu-button", onclick: () => side.classList.toggle("open") }, "Menu"),
    h(
      "nav",
      { "aria-label": "Pages" },
      h(
        "ul",
        { class: "nav" },
        [...links.values()].map((a) => h("li", {}, a)),
      ),
    ),
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
          content.focus();
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
          name,
          who,
          h("div", { class: "right" }, choice, live, h("button", { onclick: flipTheme }, "Light / dark")),
        ),
        content,
      ),
    ),
  );
  content.tabIndex = -1;

  let page = null,
    turn = 0;
  async function open() {
    const wanted = location.hash.slice(1).split("/")[0];
    const entry = pages.find((each) => each.name === wanted) || pages[0];
    const mine = ++turn;
    if (page && page.unmount) page.unmount();
    page = null;
    for (const [key, link] of links)
      key === entry.name ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    side.classList.remove("open");
    document.title = `${entry.title} – dersim`;
    const module = await entry.load().catch((error) => {
      if (!(error instanceof TypeError)) throw error;
      return null; // not fetched: the simulator went away in the middle; the page opens again when it is back
    });
    if (mine !== turn) return;
    if (!module) {
      show(
        content,
        h(
          "p",
          { class: "trouble", role: "alert" },
          "This page could not be fetched. It opens by itself once the simulator answers.",
        ),
      );
      return;
    }
    const root = h("div", {});
    show(content, root);
    page = module.mount(root, context) || {};
    if (context.overview && page.update) page.update(context.overview);
  }
  context.reopen = open;

  let stream = null;
  async function describe() {
    try {
      const [plate, client] = await Promise.all([
        get("/api/dersim/nameplate").catch(() => null),
        get("/api/dersim/csip-client"),
      ]);
      context.client = client;
      context.plate = plate;
      say(name, plate ? plate.name : `Device ${currentDevice()}`);
      const rating = plate ? `${plate.ratings.rtgMaxW / 1000} kW, ` : "";
      say(
        who,
        client.lfdi ? `${rating}LFDI ${shortId(client.lfdi)}, SFDI ${client.sfdi}` : `${rating}no LFDI yet`,
      );
      who.title = client.lfdi || "";
    } catch {
      /* the stream tells that the simulator is away */
    }
  }

  function choose(number) {
    setDevice(number);
    context.overview = null;
    stream.open(number);
    describe();
    open();
  }
  context.choose = choose;

  function heard(document_) {
    context.overview = document_;
    if (document_.devices.length !== context.count || !choice.options.length) {
      context.count = document_.devices.length;
      choice.hidden = context.count < 2;
      show(
        choice,
        document_.devices.map((d) =>
          h("option", { value: d.device, selected: d.device === currentDevice() }, d.name),
        ),
      );
    }
    choice.value = currentDevice();
    if (page && page.update) page.update(document_);
  }

  let was = "wait";
  function stands(state) {
    if (state === was) return;
    const back = was === "lost" && state === "live";
    was = state;
    [live.textContent, live.className] = LIVE[state];
    if (back) {
      describe();
      open();
    }
  }

  choice.hidden = true;
  addEventListener("hashchange", open);
  stream = new Stream(currentDevice(), heard, stands);
  describe();
  setInterval(describe, 15000);
  open();
  getPlain("/api/dersim/server-info")
    .then((info) => {
      side.querySelector("small").textContent = `${site} ${info.version}`;
    })
    .catch(() => {});
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

// Runs now and every `seconds`, never twice at a time; shows a failure where `trouble` points. Returns a stop.
export function poll(seconds, work, trouble) {
  let timer = 0,
    stopped = false;
  async function turn() {
    try {
      await work();
      if (trouble) trouble.hidden = true;
    } catch (error) {
      if (!(error && error.name === "ApiError") && !(error && "status" in error)) console.error(error);
      if (trouble) {
        trouble.hidden = false;
        trouble.textContent = error.hint ? `${error.message} ${error.hint}` : error.message;
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
      h("p", { class: "trouble", role: "alert" }, error.message, error.hint ? ` ${error.hint}` : ""),
    );
    return null;
  }
}
