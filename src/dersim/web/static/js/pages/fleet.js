// Fleet: every DER in a table, sorted by a click, opened by another.
import { card, h, show } from "../dom.js";
import { currentDevice, getPlain } from "../api.js";
import { num } from "../format.js";
import { poll } from "../shell.js";

const COLUMNS = [
  ["device", "DER", 0, (d) => d.device],
  ["name", "Name", 0, (d) => d.name],
  ["state", "State", 0, (d) => d.state],
  ["csip", "CSIP", 0, (d) => d.csip],
  ["p", "kW", 1, (d) => d.power_kw],
  ["q", "kvar", 1, (d) => d.reactive_power_kvar],
  ["v", "V L-N", 1, (d) => d.metrics.voltage_ln_v],
  ["f", "Hz", 1, (d) => d.metrics.frequency_hz],
  ["e", "kWh exported", 1, (d) => d.metrics.energy_exported_kwh],
];
const PAGE = 100;

export function mount(root, context) {
  let sort = 0,
    down = false,
    start = 1,
    rows = [],
    total = 0;
  const trouble = h("p", { class: "trouble", hidden: true }),
    sums = h("p", { class: "note" }),
    body = h("tbody", {});
  const heads = COLUMNS.map(([, title, n], i) =>
    h(
      "th",
      { scope: "col", class: n ? "n" : null },
      h(
        "button",
        {
          onclick: () => {
            down = sort === i ? !down : false;
            sort = i;
            draw();
          },
        },
        title,
      ),
    ),
  );
  const place = h("span", { class: "muted" });
  const turn = (by) => () => {
    start = Math.max(1, Math.min(start + by, total - ((total - 1) % PAGE)));
    load();
  };
  show(
    root,
    card(
      "Fleet",
      trouble,
      sums,
      h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), body)),
      h(
        "div",
        { class: "row" },
        h("button", { onclick: turn(-PAGE) }, "Previous"),
        h("button", { onclick: turn(PAGE) }, "Next"),
        place,
      ),
    ),
  );
  async function load() {
    const [page, client] = await Promise.all([
      getPlain("/api/dersim/devices", { start, limit: PAGE }),
      getPlain("/api/dersim/csip-client", {}),
    ]);
    const states = new Map(client.devices.map((each) => [each.device, each.state]));
    total = page.total;
    rows = page.devices.map((d) => ({ ...d, csip: states.get(d.device) || "–" }));
    draw();
  }
  function draw() {
    const key = COLUMNS[sort][3];
    const sorted = [...rows].sort(
      (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (down ? -1 : 1),
    );
    heads.forEach((th, i) =>
      i === sort
        ? th.setAttribute("aria-sort", down ? "descending" : "ascending")
        : th.removeAttribute("aria-sort"),
    );
    const cells = (d) => [
      d.device,
      h(
        "a",
        {
          href: "#overview",
          onclick: (e) => {
            e.preventDefault();
            location.hash = "overview";
            context.choose(d.device);
          },
        },
        d.name,
      ),
      d.state.replaceAll("_", " "),
      d.csip,
      ...[
        [d.power_kw, 3],
        [d.reactive_power_kvar, 3],
        [d.metrics.voltage_ln_v, 1],
        [d.metrics.frequency_hz, 3],
        [d.metrics.energy_exported_kwh, 3],
      ].map(([v, n]) => num(v, n)),
    ];
    show(
      body,
      sorted.map((d) =>
        h(
          "tr",
          { "aria-selected": d.device === currentDevice() ? "true" : null },
          cells(d).map((c, i) => h("td", { class: COLUMNS[i][2] ? "n" : null }, c)),
        ),
      ),
    );
    place.textContent = `DER ${start} to ${start + rows.length - 1} of ${total}`;
    const states = () =>
      [...new Set(rows.map((d) => d.state))]
        .map((state) => `${rows.filter((d) => d.state === state).length} ${state.replaceAll("_", " ")}`)
        .join(", ");
    const sum = (f) => rows.reduce((t, d) => t + f(d), 0);
    sums.textContent = `These ${rows.length}: ${num(
      sum((d) => d.power_kw),
      2,
    )} kW, ${num(
      sum((d) => d.reactive_power_kvar),
      2,
    )} kvar; ${states()}; ${rows.filter((d) => d.csip === "connected").length} connected over CSIP.`;
  }
  const stop = poll(2, load, trouble);
  return { unmount: stop };
}
