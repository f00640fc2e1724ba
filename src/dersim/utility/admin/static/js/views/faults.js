// The faults planted in this server's answers: plant one, see what is left of each, remove it.
import { getPlain, postPlain, remove } from "../api.js";
import { card, h, note, showChanged, stamp, table, troubleLine } from "../dom.js";
import { act, poll } from "../shell.js";
import { FaultForm } from "../fault_form.js";

const PATH = "/api/utility/faults";
const SECONDS = 1;

const ON_CONNECTIONS = ["no_handshake", "tls_alert", "certificate"];

function scopeOf({ kind, path, method, device }) {
  if (ON_CONNECTIONS.includes(kind)) return "new connections";
  return [method, path, device ? `of device ${device}` : ""].filter(Boolean).join(" ") || "everything";
}

// "42 s, 3 times": what is left, or when it begins.
function leftOf({ state, begins_in_s, remaining_s, remaining_count }) {
  if (state === "waiting") return `begins in ${Math.ceil(begins_in_s)} s`;
  const parts = [
    remaining_s === null ? null : `${Math.ceil(remaining_s)} s`,
    remaining_count === null ? null : `${remaining_count} times`,
  ].filter(Boolean);
  return parts.join(", ") || "until it is removed";
}

const drawOf = ({ probability, seed }, id) =>
  probability ? ` with probability ${probability}, seed ${seed ?? id}` : "";

function whatOf(fault) {
  const { words, id, fault: planted } = fault;
  const text = `${words.replaceAll("_", " ")}${drawOf(planted, id)}`;
  return planted.note ? [text, h("div", { class: "muted" }, planted.note)] : text;
}

class Faults {
  constructor(place) {
    this.trouble = troubleLine();
    this.live = h("div", {});
    this.over = h("div", {});
    this.said = h("div", { role: "status" });
    this.form = h("div", {});
    const words =
      "A fault changes what this server answers. All that it does is logged and marked as planted.";
    place.append(
      this.trouble,
      card("Planted", this.live),
      card("Plant a fault", note(words), this.form),
      card("Over", this.over),
    );
  }

  async makeForm() {
    const { paths, components } = await getPlain("/openapi.json");
    const body = paths[PATH].post.requestBody.content["application/json"].schema;
    const schemas = body.anyOf.map(({ $ref }) => components.schemas[$ref.split("/").at(-1)]);
    const form = new FaultForm(schemas);
    const plant = h("button", { class: "main", onclick: () => this.plant(form) }, "Plant");
    this.form.append(form.node, h("div", { class: "row" }, plant), this.said);
  }

  async plant(form) {
    const fault = form.read();
    if (!fault) return;
    await act(this.said, () => postPlain(PATH, fault), ({ id }) => `Planted as fault #${id}.`);
    await this.show();
  }

  async show() {
    if (!this.form.hasChildNodes()) await this.makeForm();
    const faults = await getPlain(PATH, { limit: 200 });
    const live = faults.filter(({ state }) => state !== "over");
    const over = faults.filter(({ state }) => state === "over");
    showChanged(this.live, live, () => this.liveTable(live));
    showChanged(this.over, over, () => overTable(over));
  }

  liveTable(faults) {
    const end = async (id) => {
      await remove(`${PATH}/${id}`);
      await this.show();
    };
    const button = (id) =>
      h("button", { onclick: () => end(id), "aria-label": `Remove fault ${id}` }, "Remove");
    const rows = faults.map((each) =>
      h(
        "tr",
        { "data-fault": each.id },
        h("td", {}, `#${each.id}`),
        h("td", {}, whatOf(each)),
        h("td", { class: "mono" }, scopeOf(each.fault)),
        h("td", { class: "t" }, leftOf(each)),
        h("td", { class: "n" }, each.acted),
        h("td", { class: "t" }, stamp(each.last_acted)),
        h("td", {}, button(each.id)),
      ),
    );
    const columns = ["Fault", "What", "Where", "Left", { title: "Acted", n: true }, "Last", ""];
    return table(columns, rows, { empty: "No fault is planted." });
  }
}

function overTable(faults) {
  const rows = faults.map((each) =>
    h(
      "tr",
      {},
      h("td", {}, `#${each.id}`),
      h("td", {}, whatOf(each)),
      h("td", { class: "mono" }, scopeOf(each.fault)),
      h("td", {}, each.over_because),
      h("td", { class: "n" }, each.acted),
    ),
  );
  return table(["Fault", "What", "Where", "Over because", { title: "Acted", n: true }], rows, {
    empty: "None yet.",
  });
}

export const view = {
  title: "Faults",
  show(root) {
    const faults = new Faults(root);
    return poll(SECONDS, () => faults.show(), faults.trouble);
  },
};
