// Devices: every EndDevice in a table; one of them in full at #devices/LFDI.
import { getPlain, postPlain } from "../api.js";
import { card, h, note, say, show, showChanged, stamp, table, troubleLine } from "../dom.js";
import { num, plain, shortId } from "../format.js";
import { Pager } from "../pager.js";
import { act, poll } from "../shell.js";
import { DeviceDetail } from "../device_detail.js";
import { powerWords, statePill } from "../device_words.js";

const SECONDS = 2;
const ROWS = 100;
const STATES = ["connected", "silent", "never seen", "disabled"];
const REGISTRATION =
  "With --registration known only these are served. PIN: six digits, the last one the check digit; " +
  "left out: that of --pin.";
const COLUMNS = [
  "Device",
  "State",
  "Group",
  "Status",
  { title: "Power", n: true },
  { title: "setMaxW", n: true },
  { title: "SoC", n: true },
  "Registered",
  { title: "Violations", n: true },
];

export const view = {
  title: "Devices",
  show(root, context) {
    const [lfdi] = context.parts;
    const page = lfdi ? new DeviceDetail(root, context, lfdi) : new Devices(root);
    return poll(SECONDS, () => page.load(), page.trouble);
  },
};

class Devices {
  constructor(root) {
    this.trouble = troubleLine();
    this.sums = note();
    this.body = h("div", {});
    this.pager = new Pager(ROWS, () => this.load());
    const again = () => {
      this.pager.start = 0;
      this.load();
    };
    this.text = h("input", { type: "search", oninput: again });
    const states = STATES.map((state) => h("option", { value: state }, state));
    this.state = h("select", { onchange: again }, h("option", { value: "" }, "any"), states);
    this.violating = h("input", { type: "checkbox", onchange: again });
    const filters = h(
      "div",
      { class: "filters" },
      h("label", {}, "LFDI, SFDI or group", this.text),
      h("label", {}, "State", this.state),
      h("label", {}, this.violating, "With violations"),
    );
    show(
      root,
      card("Devices", this.trouble, this.sums, filters, this.body, this.pager.node),
      card("Register a device", this.registration()),
    );
  }

  registration() {
    const lfdi = h("input", { type: "text", class: "mono", size: 44, required: true, autocomplete: "off" });
    const pin = h("input", { inputmode: "numeric", maxlength: 6, size: 7, autocomplete: "off" });
    const said = h("div", {});
    const register = async () => {
      const given = pin.value.trim() ? { pin: pin.value.trim() } : {};
      const body = { lfdi: lfdi.value.trim(), ...given };
      const done = await act(said, () => postPlain("/api/utility/end-devices", body), "It is registered.");
      if (done) await this.load();
    };
    const onsubmit = (event) => {
      event.preventDefault();
      register();
    };
    const fields = [h("label", {}, "LFDI", lfdi), h("label", {}, "PIN", pin), h("button", {}, "Register")];
    return [note(REGISTRATION), h("form", { class: "row", onsubmit }, fields), said];
  }

  async load() {
    const asked = {
      text: this.text.value.trim(),
      state: this.state.value,
      violating: this.violating.checked ? "yes" : "no",
      start: this.pager.start,
      limit: ROWS,
    };
    const mine = (this.turn = (this.turn || 0) + 1);
    const found = await getPlain("/api/utility/fleet", asked);
    if (mine !== this.turn) return;
    say(this.sums, sumsOf(found));
    this.pager.show(found.matching);
    const empty = found.total ? "No device is like this." : "No device is registered yet.";
    showChanged(this.body, found.rows, () => table(COLUMNS, found.rows.map(rowOf), { empty }));
  }
}

function sumsOf({ total, states }) {
  const parts = STATES.filter((state) => states[state]).map((state) => `${states[state]} ${state}`);
  return total ? `${total} in all: ${parts.join(", ")}.` : "";
}

const REGISTERED = { contact: "at first contact", itself: "by itself", operator: "by the operator" };

function rowOf(device) {
  const { lfdi, sfdi, id, groups, status, alarms, violations } = device;
  const link = h("a", { href: `#devices/${lfdi}`, title: lfdi }, `#${id} ${shortId(lfdi, 6, 4)}`);
  return h(
    "tr",
    { "data-lfdi": lfdi },
    h("td", { class: "t" }, link, h("div", { class: "muted" }, `SFDI ${sfdi}`)),
    h("td", {}, statePill(device), h("div", { class: "muted" }, lastSeen(device))),
    h("td", {}, groups.join("; ")),
    h("td", {}, status.join("; ") || "–", alarms ? h("div", { class: "bad" }, alarms) : null),
    h("td", { class: "n" }, powerWords(device.power_w)),
    h("td", { class: "n" }, ratingOf(device)),
    h("td", { class: "n" }, device.soc_percent === null ? "–" : `${num(device.soc_percent, 1)} %`),
    h("td", { class: "t" }, REGISTERED[device.registered_by], h("div", { class: "muted" }, pinWords(device))),
    h("td", { class: violations ? "n warn" : "n" }, violations),
  );
}

const lastSeen = ({ state, last_seen }) =>
  state === "connected" || !last_seen ? null : ["last seen ", stamp(last_seen)];
const pinWords = ({ pin_read }) => (pin_read ? "PIN read" : "PIN not read");

// setMaxW, with rtgMaxW where that is another one.
function ratingOf({ set_max_w, rtg_max_w }) {
  const set = set_max_w === null ? "–" : `${plain(set_max_w / 1000)} kW`;
  if (rtg_max_w === null || rtg_max_w === set_max_w) return set;
  return [set, h("div", { class: "muted" }, `of ${plain(rtg_max_w / 1000)} kW rated`)];
}
