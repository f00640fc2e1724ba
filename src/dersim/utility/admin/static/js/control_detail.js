// One control: what it is, what became of it on each device, and its end.
import { getPlain, remove } from "./api.js";
import { card, h, instant, options, pairs, show, showChanged, stamp, table, troubleLine } from "./dom.js";
import { shortId } from "./format.js";
import { countPills, incompleteWords, lateWords } from "./lives.js";
import { STAGE_CHOICES, stagePill, statusPill, whenOf } from "./lives.js";
import { Pager } from "./pager.js";
import { act } from "./shell.js";

const BASE = "/api/utility";
const ROWS = 100;
const COLUMNS = ["Device", "Now", "Read", "Received", "Started", "Ended", "Responses"];
const ENDINGS = [
  [2, "Cancel"],
  [3, "Cancel with randomization"],
  [4, "End as superseded"],
];
const ENDED = [3, 6, 7, 8, 9, 10];

export class ControlDetail {
  constructor(root, mrid) {
    this.mrid = mrid;
    this.trouble = troubleLine();
    this.facts = h("div", {});
    this.told = h("div", {});
    this.buttons = ENDINGS.map(([status, words]) =>
      h("button", { type: "button", disabled: true, onclick: () => this.end(status) }, words),
    );
    this.counts = h("div", {});
    this.body = h("div", {});
    this.pager = new Pager(ROWS, () => this.load());
    const onchange = () => {
      this.pager.start = 0;
      this.load();
    };
    this.stage = h("select", { onchange }, options([["", "all"], ...STAGE_CHOICES]));
    const filters = h("div", { class: "row spread" }, this.counts, h("label", {}, "Show", this.stage));
    this.known = h(
      "div",
      { hidden: true },
      card("Control", this.facts, h("div", { class: "row" }, this.buttons), this.told),
      card("On its devices", filters, this.body, this.pager.node),
    );
    show(root, h("p", {}, h("a", { href: "#controls" }, "All controls")), this.trouble, this.known);
  }

  async load() {
    const asked = { stage: this.stage.value, start: this.pager.start, limit: ROWS };
    const found = await getPlain(`${BASE}/control-lives/${encodeURIComponent(this.mrid)}`, asked);
    this.known.hidden = false;
    const { control, counts, rows } = found;
    showChanged(this.facts, [found.control, found.listed], () => factsOf(found));
    for (const button of this.buttons) button.disabled = control.status > 1 || !found.listed;
    showChanged(this.counts, [counts, found.incomplete], () => [countPills(counts), incompleteWords(found)]);
    this.pager.show(found.matching);
    const empty = found.devices ? "No device is at this stage." : "It is for no device.";
    showChanged(this.body, rows, () => table(COLUMNS, rows.map(rowOf), { empty }));
  }

  async end(status) {
    const words = "It is ended on the server; devices learn of it with their next poll.";
    await act(this.told, () => remove(`${BASE}/controls/${this.mrid}`, { status }), words);
    await this.load();
  }
}

function factsOf(life) {
  const { control, orders, program, primacy, groups, latest_end } = life;
  const values = orders.map(({ mode, text }) => h("div", {}, h("code", {}, mode), ` ${text}`));
  return pairs([
    ["Orders", values],
    ["Description", control.description || "none"],
    ["Program", `${program}, primacy ${primacy}, for ${groups.join("; ")}`],
    ["In force", whenOf(control)],
    ["Over everywhere", instant(latest_end)],
    ["On the server", [statusPill(life), " since ", stamp(control.status_since)]],
    ["Published", instant(control.created)],
    ["Responses asked for", askedFor(control.response_required)],
    ["Categories", control.device_category ? `${control.device_category} hex` : "every device"],
    ["mRID", h("span", { class: "mono" }, control.mRID)],
  ]);
}

function askedFor(bits) {
  const words = ["receipt", "start and end", "by the customer"].filter((_, bit) => bits & (1 << bit));
  return words.join(", ") || "none";
}

function rowOf({ lfdi, device, stage, text, read, responses, started_late_s, ended_late_s }) {
  const first = (statuses) => responses.find(({ status }) => statuses.includes(status));
  const at = (response, late) => (response ? [stamp(response.time), lateWords(late)] : "–");
  const name = device === null ? shortId(lfdi, 6, 4) : `#${device} ${shortId(lfdi, 6, 4)}`;
  const all = responses.map(({ status, text: words }) => h("abbr", { title: words }, status));
  return h(
    "tr",
    { "data-lfdi": lfdi },
    h("td", { class: "t" }, device === null ? name : h("a", { href: `#devices/${lfdi}` }, name)),
    h("td", {}, stagePill(stage, stage === "refused" ? text : undefined)),
    h("td", { class: "t" }, read ? stamp(read) : "–"),
    h("td", { class: "t" }, at(first([1]))),
    h("td", { class: "t" }, at(first([2]), started_late_s)),
    h("td", { class: "t" }, at(first(ENDED), ended_late_s)),
    h("td", {}, all.length ? all.flatMap((each, index) => (index ? [", ", each] : [each])) : "none"),
  );
}
