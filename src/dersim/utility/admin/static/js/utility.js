// The frame of the admin port's pages.
import { h } from "./js/dom.js";
import { frame, startTheme } from "./js/shell.js";

const PAGES = [
  ["/", "Overview"],
  ["/faults", "Faults"],
  ["/docs", "API"],
];

// Draws the frame with `href` as the current page; returns where the page goes.
export function begin(href, title) {
  startTheme();
  const content = h("div", {});
  const entry = ([path, words]) =>
    h("li", {}, h("a", { href: path, "aria-current": path === href ? "page" : null }, words));
  frame({
    brand: "2030.5 server",
    label: "Pages",
    menu: h("ul", { class: "nav" }, PAGES.map(entry)),
    head: [h("h1", {}, title)],
    tools: [],
    content: [content],
  });
  return content;
}
