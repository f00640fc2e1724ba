// One device: who it is, what it has sent, which programs it sees, its controls, and what can be done to it.
import { getPlain, put, remove } from "./api.js";
import { confirmed } from "./ask.js";
import { card, h, instant, note, options, pairs, show } from "./dom.js";
import { showChanged, stamp, table, troubleLine } from "./dom.js";
import { num } from "./format.js";
import { lateWords, linkTo, orderOf, stagePill, statusPill, whenOf } from "./lives.js";
import { act } from "./shell.js";
import { elements } from "./told.js";
import { DeviceResources } from "./device_resources.js";
import { powerWords, statePill } from "./device_words.js";

const REGISTERED = {
  contact: "by its first request",
  itself: "by itself, with a POST to the EndDeviceList",
  operator: "by the operator",
};
const NEVER = "never, so it cannot have checked it";

// The views of what it was told and what it reports.
const linksOf = (lfdi) =>
  [
    ["Timeline", `#timeline/${lfdi}`],
    ["Readings", `#readings/${lfdi}`],
    ["Log events", `#log-events/${lfdi}`],
    ["Subscriptions", `#subscriptions/${lfdi}`],
    ["Conversation", `#conversation/?lfdi=${lfdi}`],
  ].map(([title, href]) => h("a", { href }, title));

export class DeviceDetail {
  constructor(root, context, lfdi) {
    this.context = context;
    this.lfdi = lfdi;
    this.path = `/api/utility/end-devices/${encodeURIComponent(lfdi)}`;
    this.trouble = troubleLine();
    this.facts = h("div", {});
    this.told = h("div", {});
    this.programs = h("div", {});
    this.controls = h("div", {});
    this.documents = h("div", { class: "columns" });
    this.violations = h("div", {});
    this.resources = new DeviceResources(this.path, () => this.load());
    this.known = h(
      "div",
      { hidden: true },
      h("div", { class: "grid" }, card("Device", this.facts), card("Change", this.actions())),
      card("Controls for it", this.controls),
      card("Programs it sees, in priority order", this.programs),
      this.resources.node,
      this.documents,
      card("Violations of the standard", this.violations),
    );
    const all = h("a", { href: "#devices" }, "All devices");
    show(root, h("p", { class: "row" }, all, linksOf(lfdi)), this.trouble, this.known);
  }

  actions() {
    this.enable = h("button", { type: "button", onclick: () => this.toggle() }, "Disable");
    const digits = { inputmode: "numeric", maxlength: 6, size: 7, required: true, autocomplete: "off" };
    this.pin = h("input", digits);
    this.group = h("select", { "aria-label": "Group" });
    const pinForm = form([h("label", {}, "New PIN", this.pin)], "Set", () => this.setPin());
    const move = form([h("label", {}, "Move to", this.group)], "Move", () => this.move());
    const drop = h("button", { type: "button", onclick: () => this.remove() }, "Remove this device");
    return [h("div", { class: "row" }, this.enable, drop), pinForm, move, this.told];
  }

  async load() {
    const [detail, lives, groups, kinds] = await Promise.all([
      getPlain(`/api/utility/fleet/${encodeURIComponent(this.lfdi)}`),
      getPlain("/api/utility/control-lives", { lfdi: this.lfdi, limit: 30 }),
      getPlain("/api/utility/groups"),
      getPlain("/api/utility/device-resources"),
    ]).catch((error) => {
      if (error.status === 404) this.known.hidden = true;
      throw error;
    });
    this.known.hidden = false;
    const { row, documents, violation_texts } = detail;
    this.row = row;
    showChanged(this.facts, [row, detail.registered], () => factsOf(detail));
    this.enable.textContent = row.state === "disabled" ? "Enable" : "Disable";
    this.offerGroups(groups, detail.own_groups);
    this.resources.show(kinds, detail.resources);
    showChanged(this.controls, lives, () => livesTable(lives));
    showChanged(this.programs, detail.programs, () => programsTable(detail.programs));
    showChanged(this.documents, documents, () => documentCards(documents));
    showChanged(this.violations, violation_texts, () => violationList(row, violation_texts));
  }

  offerGroups(groups, own) {
    const text = JSON.stringify([groups.map(({ id, name }) => [id, name]), own]);
    if (text === this.offered) return;
    this.offered = text;
    const inTree = groups.filter(({ level }) => level !== "non_topology");
    const chosen = inTree.find(({ id }) => own.includes(id) && id !== 1);
    const entries = [["", "no group of its own"], ...inTree.map(({ id, name }) => [id, name])];
    show(this.group, options(entries, chosen?.id ?? ""));
  }

  async change(work, words) {
    await act(this.told, work, words);
    await this.load();
  }

  toggle() {
    const enabled = this.row.state === "disabled";
    return this.change(() => put(this.path, { enabled }), enabled ? "It is enabled." : "It is disabled.");
  }

  setPin() {
    const words = "The PIN is set; the device reads it with its next poll of its Registration.";
    return this.change(() => put(this.path, { pin: this.pin.value.trim() }), words);
  }

  move() {
    const group = this.group.value === "" ? null : Number(this.group.value);
    const words = "It is moved; it reads its programs with its next poll.";
    return this.change(() => put(`${this.path}/groups`, { group }), words);
  }

  async remove() {
    const sure = await confirmed({
      title: "Remove this device?",
      words: "It loses its EndDevice. It is not registered again by a request, only by a POST or by you.",
      yes: "Remove",
    });
    if (!sure) return;
    const gone = await act(this.told, () => remove(this.path), "It is removed.");
    if (gone) this.context.open("devices");
  }
}

function form(fields, word, done) {
  const onsubmit = (event) => {
    event.preventDefault();
    done();
  };
  return h("form", { class: "row", onsubmit }, fields, h("button", {}, word));
}

function factsOf({ row, registered }) {
  return pairs([
    ["State", [statePill(row), row.last_seen ? [" last seen ", stamp(row.last_seen)] : ""]],
    ["LFDI", h("span", { class: "mono" }, row.lfdi)],
    ["SFDI", String(row.sfdi)],
    ["Edition", row.edition],
    ["Registered", [REGISTERED[row.registered_by], ", ", instant(registered)]],
    ["PIN read", row.pin_read ? instant(row.pin_read) : NEVER],
    ["Aggregator", row.aggregator ? h("span", { class: "mono" }, row.aggregator) : "none"],
    ["Group", row.groups.join("; ") || "none"],
    ["Status", row.status.join("; ") || "not sent yet"],
    ["Alarms", row.alarms ? h("span", { class: "bad" }, row.alarms) : "none"],
    ["Power", powerWords(row.power_w)],
    ["State of charge", row.soc_percent === null ? null : `${num(row.soc_percent, 1)} %`],
  ]);
}

function livesTable(lives) {
  const rows = lives.map(({ control, orders, program, listed, life }) =>
    h(
      "tr",
      {},
      h("td", {}, orderOf({ control, orders }), linkTo(control)),
      h("td", {}, program),
      h("td", {}, whenOf(control)),
      h("td", {}, statusPill({ control, listed })),
      h("td", {}, stagePill(life.stage, life.text), lateWords(life.started_late_s || life.ended_late_s)),
    ),
  );
  const columns = ["Control", "Program", "In force", "On the server", "On the device"];
  return table(columns, rows, { empty: "No control was published for it yet." });
}

function programsTable(programs) {
  const rows = programs.map(({ id, description, primacy, groups }) =>
    h(
      "tr",
      {},
      h("td", {}, description || `program ${id}`),
      h("td", { class: "n" }, primacy),
      h("td", {}, groups.join("; ")),
    ),
  );
  const columns = ["Program", { title: "Primacy", n: true }, "Group"];
  return table(columns, rows, { empty: "It is in no group with a program." });
}

function documentCards(documents) {
  const entries = Object.entries(documents);
  if (!entries.length) return card("Documents", note("It has not PUT any of its documents yet."));
  return entries.map(([title, told]) => card(title, elements(told, "It is empty.")));
}

function violationList({ violations }, texts) {
  if (!violations) return note("None.");
  const lines = texts.map((text) => h("li", {}, text));
  return [note(`${violations} in all; the newest:`), h("ul", { class: "findings" }, lines)];
}
