// The REST API: what can be read at a click, then every address.
import { follow, getPlain } from "../api.js";
import { card, h, show, table, troubleLine } from "../dom.js";
import { mount } from "../pages/api.js";

export const view = {
  title: "REST API",
  show(root) {
    const reads = h("div", {});
    const trouble = troubleLine();
    const all = h("div", {});
    show(root, card("Read", trouble, reads), all);
    mount(all);
    getPlain("/openapi.json")
      .then(({ paths }) => show(reads, listOf(paths)))
      .catch((error) => {
        trouble.textContent = error.message;
        trouble.hidden = false;
      });
    return () => {};
  },
};

// Whatever GET shows without an id.
function listOf(paths) {
  const rows = Object.entries(paths)
    .filter(([path, methods]) => methods.get && !path.includes("{"))
    .map(([path, methods]) =>
      h(
        "tr",
        {},
        h("td", {}, h("a", { href: path, onclick: follow }, path.replace("/api/utility/", ""))),
        h("td", {}, methods.get.summary),
      ),
    );
  return table(["Address", "What it shows"], rows);
}
