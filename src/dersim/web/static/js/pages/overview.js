// Overview: the measurements as tiles, the live plot, and why the power is what it is.
import { card, h, pairs, say, show, table } from "../dom.js";
import { get } from "../api.js";
import { num, clock, shortId, span, value } from "../format.js";
import { Plot } from "../plot.js";
import { act, poll } from "../shell.js";
import { post } from "../api.js";

const TILES = [
  ["power_kw", "Active power", "kW, + generates", 2],
  ["reactive_power_kvar", "Reactive power", "kvar, + injects", 2],
  ["voltage_ll_v", "Voltage L-L", "V", 1],
  ["current_a", "Current", "A per phase", 2],
  ["frequency_hz", "Frequency", "Hz", 3],
  ["available_power_kw", "Available", "kW from the source", 2],
  ["energy_exported_kwh", "Exported", "kWh", 3],
  ["soc_pct", "State of charge", "%", 1],
];

function tile(name, unit) {
  const node = h(
    "div",
    { class: "tile" },
    h("div", { class: "name" }, name),
    h("div", { class: "value" }, "–"),
    h("div", { class: "unit" }, unit),
  );
  return { node, value: node.children[1], unit: node.children[2] };
}

// The setpoint that people ask about first: the lowest upper limit.
export function limitOf(setpoints) {
  const limits = setpoints.in_force.filter((each) => ["opModMaxLimW", "opModFixedW"].includes(each.mode));
  return limits.sort((a, b) => a.value - b.value)[0] || null;
}

const words = (text) => text[0].toUpperCase() + text.slice(1).replaceAll("_", " ");

export function mount(root, context) {
  const tiles = Object.fromEntries(TILES.map(([key, name, unit]) => [key, tile(name, unit)]));
  const csip = tile("CSIP", ""),
    limit = tile("Limit in force", "% of setMaxW"),
    status = tile("Inverter", "");
  for (const each of [csip, status]) each.value.classList.add("word");
  tiles.soc_pct.node.hidden = true;
  const plot = new Plot({ seconds: 7200, label: "Power, current and voltage of the last two hours" });
  const windowChoice = h(
    "select",
    { "aria-label": "Window", onchange: () => load() },
    [
      [300, "last 5 min"],
      [900, "last 15 min"],
      [7200, "last 2 h"],
      [14400, "last 4 h"],
    ].map(([v, t]) => h("option", { value: v, selected: v === 900 }, t)),
  );
  const phases = h("div", {}),
    comm = h("div", {}),
    force = h("div", {}),
    told = h("div", { "aria-live": "polite" });
  const command = (name) =>
    h(
      "button",
      {
        onclick: () =>
          act(told, () => post("/api/dersim/commands", { command: name }), `Command ${name} given.`),
      },
      name[0].toUpperCase() + name.slice(1),
    );
  show(
    root,
    h(
      "div",
      { class: "tiles" },
      TILES.slice(0, 5).map(([key]) => tiles[key].node),
      csip.node,
      limit.node,
      status.node,
      TILES.slice(5).map(([key]) => tiles[key].node),
    ),
    h(
      "section",
      { class: "card" },
      h("div", { class: "row spread" }, h("h2", {}, "Power, current and voltage"), windowChoice),
      plot.node,
    ),
    card("In force, and why", force),
    h(
      "div",
      { class: "grid" },
      card("Phases", phases),
      card("Front-ends", comm),
      card(
        "Operator",
        h("div", { class: "row" }, ["start", "stop", "reset"].map(command)),
        h(
          "p",
          { class: "note" },
          "Stop takes the inverter out of service until start; reset forgets a trip.",
        ),
        told,
      ),
    ),
  );

  async function load() {
    plot.seconds = Number(windowChoice.value);
    plot.setHistory(await get("/api/dersim/history", { seconds: plot.seconds }));
  }
  load().catch(() => {});

  const stops = [
    poll(2, async () => {
      const [client, setpoints] = await Promise.all([
        get("/api/dersim/csip-client"),
        get("/api/dersim/setpoints", { journal: 0 }),
      ]);
      say(csip.value, client.state[0].toUpperCase() + client.state.slice(1));
      csip.value.className = `value word ${client.state === "connected" ? "good" : client.state === "disabled" ? "muted" : "bad"}`;
      say(
        csip.unit,
        client.last_contact && context.overview
          ? `last contact ${span((Date.parse(context.overview.time) - Date.parse(client.last_contact)) / 1000)} ago`
          : client.retry_in_s !== null
            ? `again in ${span(client.retry_in_s)}`
            : "",
      );
      const ruling = limitOf(setpoints);
      say(limit.value, ruling ? num(ruling.value, 0) : "none");
      say(
        limit.unit,
        ruling ? `% of setMaxW, ${ruling.source} ${shortId(ruling.detail)}` : "nothing limits the power",
      );
      show(force, inForce(setpoints));
    }),
  ];
  return {
    update(overview) {
      for (const [key, , , decimals] of TILES) say(tiles[key].value, num(overview.metrics[key], decimals));
      tiles.soc_pct.node.hidden = overview.metrics.soc_pct === null;
      say(status.value, overview.status.tripped ? "Tripped" : words(overview.status.inverter));
      status.value.className = `value word ${overview.status.tripped ? "bad" : ""}`;
      say(
        status.unit,
        overview.status.alarms.length
          ? `Alarms: ${overview.status.alarms.join(", ")}`
          : `${overview.status.connect}, no alarm`,
      );
      plot.append(overview);
      show(
        phases,
        table(
          [
            { title: "Phase" },
            { title: "kW", n: 1 },
            { title: "kvar", n: 1 },
            { title: "V L-N", n: 1 },
            { title: "A", n: 1 },
          ],
          overview.phases.map((p, i) =>
            h(
              "tr",
              {},
              h("td", {}, "ABC"[i]),
              ...[
                num(p.power_kw, 3),
                num(p.reactive_power_kvar, 3),
                num(p.voltage_ln_v, 1),
                num(p.current_a, 2),
              ].map((t) => h("td", { class: "n" }, t)),
            ),
          ),
        ),
      );
      show(
        comm,
        pairs(
          Object.entries(overview.comm).map(([name, c]) => [
            name,
            [h("strong", {}, c.state), " ", h("span", { class: "muted" }, c.detail)],
          ]),
        ),
      );
    },
    unmount() {
      plot.destroy();
      stops.forEach((stop) => stop());
    },
  };
}

export function inForce(setpoints) {
  const row = (each, by) =>
    h(
      "tr",
      {},
      h("td", {}, each.mode),
      h("td", {}, value(each.mode, each.value)),
      h(
        "td",
        {},
        each.source,
        each.detail && each.detail !== each.source
          ? h("span", { class: "muted", title: each.detail }, ` ${shortId(each.detail, 6, 4)}`)
          : "",
      ),
      h(
        "td",
        {},
        by ? `overridden by ${by}` : each.until ? `until ${clock(each.until)}` : `since ${clock(each.since)}`,
      ),
    );
  const heads = [{ title: "Mode" }, { title: "Value" }, { title: "Source" }, { title: "" }];
  const isSetting = (each) => each.mode.startsWith("set");
  const settings = setpoints.in_force.filter(isSetting);
  return [
    table(
      heads,
      [
        ...setpoints.in_force.filter((e) => !isSetting(e)).map((e) => row(e)),
        ...setpoints.overridden.map((e) => row(e, e.by)),
      ],
      { empty: "Nothing is asked of the inverter: it gives what the source has." },
    ),
    settings.length
      ? h(
          "p",
          { class: "note" },
          `Settings governed by ${[...new Set(settings.map((e) => e.source))].join(" and ")}: ${settings.map((e) => `${e.mode} ${value(e.mode, e.value)}`).join(", ")}.`,
        )
      : null,
  ];
}
