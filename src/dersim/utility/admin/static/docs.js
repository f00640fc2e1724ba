// The admin port's addresses, made from its /openapi.json.
import { h } from "./js/dom.js";
import { frame, startTheme } from "./js/shell.js";
import { mount } from "./js/pages/api.js";

startTheme();
const here = { href: "/docs", "aria-current": "page" };
const content = h("div", {});
frame({
  brand: "2030.5 server",
  label: "Pages",
  menu: h(
    "ul",
    { class: "nav" },
    h("li", {}, h("a", { href: "/" }, "Overview")),
    h("li", {}, h("a", here, "API")),
  ),
  head: [h("h1", {}, "API")],
  tools: [],
  content: [content],
});
mount(content);
