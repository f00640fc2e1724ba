// Plugins: what is loaded, and the panels that plug-ins bring.
import { card, h, pairs, show, table } from "../dom.js";
import { get, getPlain } from "../api.js";

export function mount(root, context) {
  const place = h("div", {}),
    panelPlace = h("div", {}),
    trouble = h("p", { class: "trouble", hidden: true });
  show(root, trouble, place, panelPlace);
  let open = null;
  (async () => {
    const [info, functions, plugins] = await Promise.all([
      getPlain("/api/dersim/server-info"),
      get("/api/dersim/functions"),
      get("/api/dersim/plugins"),
    ]);
    show(
      place,
      card(
        "Plug-ins",
        table(
          [{ title: "Name" }, { title: "Version" }, { title: "In use" }, { title: "From" }],
          plugins.plugins.map((p) =>
            h(
              "tr",
              {},
              h("td", {}, p.name),
              h("td", {}, p.version),
              h("td", {}, p.loaded ? "yes" : "no"),
              h("td", { class: "mono" }, p.origin),
            ),
          ),
        ),
      ),
      h(
        "div",
        { class: "grid" },
        card(
          "Front-ends",
          pairs(
            plugins.frontends.map((f) => [
              f.name,
              [h("strong", {}, f.state), " ", h("span", { class: "muted" }, f.detail)],
            ]),
          ),
        ),
        card(
          "Packages",
          pairs([["dersim", info.version], ["Python", info.python], ...Object.entries(info.packages)]),
        ),
      ),
      card(
        "Control functions, in the order of the step",
        table(
          [{ title: "Name" }, { title: "Stage" }, { title: "Modes" }, { title: "What it does" }],
          functions.functions.map((f) =>
            h(
              "tr",
              {},
              h("td", {}, f.name),
              h("td", {}, f.stage),
              h("td", { class: "mono" }, f.modes.map((m) => m.mode).join(" ")),
              h("td", {}, f.doc),
            ),
          ),
        ),
      ),
      card(
        "Panels",
        plugins.panels.length
          ? h(
              "div",
              { class: "row" },
              plugins.panels.map((p) => h("button", { onclick: () => openPanel(p) }, p.title)),
            )
          : h("p", { class: "empty" }, "No plug-in brings a panel."),
      ),
    );
  })().catch((error) => {
    trouble.hidden = false;
    trouble.textContent = error.message;
  });
  async function openPanel(panel) {
    try {
      open?.unmount?.();
      const module = await import(`/panels/${encodeURIComponent(panel.name)}.js`);
      const body = h("div", {});
      show(panelPlace, card(panel.title, body));
      open = module.mount(body, context) || null;
    } catch (error) {
      show(
        panelPlace,
        h("p", { class: "trouble" }, `The panel ${panel.name} cannot be shown: ${error.message}`),
      );
    }
  }
  return {
    update(o) {
      open?.update?.(o);
    },
    unmount() {
      open?.unmount?.();
    },
  };
}
