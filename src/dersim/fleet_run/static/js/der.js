// One DER, asked of the shard that runs it.
import { getPlain } from "/static/js/api.js";
import { card, h, instant, note, pairs, show, stamp, table, troubleLine } from "/static/js/dom.js";
import { modes, num } from "/static/js/format.js";

const LINES = 30;

export class DerPage {
  constructor() {
    this.number = 0;
    this.input = h("input", { type: "number", min: 1, step: 1, "aria-label": "Number of the DER" });
    this.hint = note();
    this.trouble = troubleLine();
    this.trouble.setAttribute("role", "alert");
    this.body = h("div", {});
    const onsubmit = (event) => {
      event.preventDefault();
      if (this.input.value) location.hash = `der/${this.input.value}`;
    };
    const form = h("form", { class: "row", onsubmit }, this.input, h("button", { class: "main" }, "Show"));
    this.node = h("div", {}, card("One DER", form, this.hint, this.trouble), this.body);
  }

  range({ first, ders }) {
    this.hint.textContent = `DERs ${first} to ${first + ders - 1}`;
  }

  show(number) {
    if (number === this.number) return;
    this.number = number;
    this.input.value = number;
    show(this.body);
    this.turn();
  }

  async turn() {
    if (!this.number) return;
    const asked = this.number;
    try {
      const der = await getPlain(`/api/fleet/ders/${asked}`);
      if (asked !== this.number) return;
      this.trouble.hidden = true;
      show(this.body, measured(der), csip(der.csip), log(der.logs));
    } catch (error) {
      if (error.status === 0) throw error;
      this.trouble.hidden = false;
      this.trouble.textContent = `${error.message}. ${error.hint ?? ""}`;
      if (error.status === 404) this.number = 0;
    }
  }
}

function measured(der) {
  const { metrics, status } = der;
  const facts = [
    ["State", `${der.state.replaceAll("_", " ")}, ${status.connect}`],
    ["Alarms", status.alarms.join(", ") || "none"],
    ["Power", `${num(metrics.power_kw, 3)} kW, ${num(metrics.reactive_power_kvar, 3)} kvar`],
    ["Grid", `${num(metrics.voltage_ln_v, 1)} V L-N, ${num(metrics.frequency_hz, 3)} Hz`],
    ["Exported", `${num(metrics.energy_exported_kwh, 3)} kWh`],
    ["Imported", `${num(metrics.energy_imported_kwh, 3)} kWh`],
    ["Simulated time", instant(der.time)],
  ];
  if (metrics.soc_pct !== null) facts.push(["State of charge", `${num(metrics.soc_pct, 1)} %`]);
  return card(`${der.name}, ${der.device_type}`, pairs(facts));
}

function csip(client) {
  if (!client) return card("CSIP client", note("Off."));
  const facts = [
    ["State", client.state],
    ["Server", `${client.server}${client.dcap}`],
    ["LFDI", h("span", { class: "mono" }, client.lfdi ?? "–")],
    ["EndDevice", client.end_device],
    ["Last contact", instant(client.last_contact)],
    ["Last error", client.last_error],
    ["Requests", `${client.counters.requests}, ${client.counters.errors} errors`],
  ];
  const rows = client.active_controls.map((each) =>
    h(
      "tr",
      {},
      h("td", { class: "mono" }, each.mRID),
      h("td", {}, modes(each.modes)),
      h("td", { class: "t" }, stamp(each.effective_end)),
    ),
  );
  const held = table(["Control in force", "Modes", "Until"], rows, { empty: "No control in force." });
  return card("CSIP client", pairs(facts), held);
}

function log(lines) {
  const rows = lines
    .slice(-LINES)
    .reverse()
    .map((line) =>
      h(
        "tr",
        {},
        h("td", { class: "t" }, stamp(line.timestamp, true)),
        h("td", {}, line.module),
        h("td", { class: "wrap" }, line.message),
      ),
    );
  return card("Log", table(["Time", "Module", "Message"], rows));
}
