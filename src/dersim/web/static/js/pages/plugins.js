// Plugins: what is loaded, and the panels that plug-ins bring.
import { card, h, pairs, show, table, troubleLine } from "../dom.js";
import { get, getPlain } from "../api.js";

export function mount(root, context) {
  const place = h("div", {});
  const panelPlace = h("div", {});
  const trouble = troubleLine();
  show(root, trouble, place, panelPlace);
  let open = null;

  async function load() {
    const [info, functions, plugins] = await Promise.all([
      getPlain("/api/dersim/server-info"),
      get("/api/dersim/functions"),
      get("/api/dersim/plugins"),
    ]);
    show(
      place,
      card("Plug-ins", pluginTable(plugins.plugins)),
      h("div", { class: "grid" }, frontendCard(plugins.frontends), packageCard(info)),
      card("Control functions, in the order of the step", functionTable(functions.functions)),
      card("Panels", panelButtons(plugins.panels, openPanel)),
    );
  }

  async function openPanel({ name, title }) {
    try {
      open?.unmount?.();
      const module = await import(`/panels/${encodeURIComponent(name)}.js`);
      const body = h("div", {});
      show(panelPlace, card(title, body));
      open = module.mount(body, context) || null;
    } catch (error) {
      const told = `The panel ${name} cannot be shown: ${error.message}`;
      show(panelPlace, h("p", { class: "trouble" }, told));
    }
  }

  load().catch((error) => {
    trouble.hidden = false;
    trouble.textContent = error.message;
  });
  return { update: (overview) => open?.update?.(overview), unmount: () => open?.unmount?.() };
}

function pluginTable(plugins) {
  const rows = plugins.map(({ name, version, loaded, origin }) => {
    const from = h("td", { class: "mono" }, origin);
    return h("tr", {}, h("td", {}, name), h("td", {}, version), h("td", {}, loaded ? "yes" : "no"), from);
  });
  return table(["Name", "Version", "In use", "From"], rows);
}

function functionTable(functions) {
  const rows = functions.map(({ name, stage, modes, doc }) => {
    const told = h("td", { class: "mono" }, modes.map(({ mode }) => mode).join(" "));
    return h("tr", {}, h("td", {}, name), h("td", {}, stage), told, h("td", {}, doc));
  });
  return table(["Name", "Stage", "Modes", "What it does"], rows);
}

const frontendCard = (frontends) =>
  card(
    "Front-ends",
    pairs(
      frontends.map(({ name, state, detail }) => [
        name,
        [h("strong", {}, state), " ", h("span", { class: "muted" }, detail)],
      ]),
    ),
  );

const packageCard = ({ version, python, packages }) =>
  card("Packages", pairs([["dersim", version], ["Python", python], ...Object.entries(packages)]));

function panelButtons(panels, open) {
  if (!panels.length) return h("p", { class: "empty" }, "No plug-in brings a panel.");
  const buttons = panels.map((panel) => h("button", { onclick: () => open(panel) }, panel.title));
  return h("div", { class: "row" }, buttons);
}
