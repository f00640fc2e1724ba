// Whom a control is for: all devices, a group, one device, or those of a program.
import { getPlain } from "./api.js";
import { h, options, show } from "./dom.js";
import { tell, verdictLine } from "./fields.js";
import { shortId } from "./format.js";

const BASE = "/api/utility";
const SYSTEM = 1;

export class Target {
  // chosen: ["program", "2"], ["device", LFDI] or ["group", "3"] to begin with; else all devices.
  constructor(groups, programs, changed, [kind = "all", id = ""] = []) {
    this.changed = changed;
    const names = programs.map((each) => [each.id, `${each.description}, primacy ${each.primacy}`]);
    const inGroups = groups.filter(({ id: number }) => number !== SYSTEM);
    const kinds = [["all", "all devices"]];
    if (inGroups.length) kinds.push(["group", "a group"]);
    kinds.push(["device", "one device"], ["program", "the devices of a program"]);
    this.kind = h("select", { "aria-label": "For", onchange: () => this.choose() }, options(kinds));
    const entries = inGroups.map(({ id: number, name }) => [number, name]);
    this.group = h("select", { "aria-label": "Group", onchange: changed }, options(entries));
    this.program = h("select", { "aria-label": "Program", onchange: changed }, options(names));
    this.known = h("datalist", { id: "devices-known" });
    this.device = h("input", {
      type: "text",
      class: "mono",
      size: 44,
      list: "devices-known",
      placeholder: "LFDI",
      "aria-label": "Device",
      autocomplete: "off",
      oninput: () => this.typed(),
    });
    this.wrong = verdictLine();
    const row = h("div", { class: "row" }, this.kind, this.group, this.program, this.device, this.known);
    this.node = h("div", {}, row, this.wrong);
    this.kind.value = kind;
    if (kind in this && id) this[kind].value = id;
    this.choose();
  }

  choose() {
    for (const kind of ["group", "program", "device"]) this[kind].hidden = this.kind.value !== kind;
    if (this.kind.value === "device" && !this.device.value) this.suggest("");
    tell(this.wrong, "");
    this.changed();
  }

  typed() {
    tell(this.wrong, "");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.suggest(this.device.value.trim()), 200);
    this.changed();
  }

  async suggest(text) {
    const { rows } = await getPlain(`${BASE}/fleet`, { text, limit: 30 }).catch(() => ({ rows: [] }));
    const words = ({ id, lfdi, groups }) => `#${id} ${shortId(lfdi)} ${groups.join("; ")}`;
    show(this.known, rows.map((each) => h("option", { value: each.lfdi }, words(each))));
  }

  // Whether the device is to be named still.
  get waits() {
    return this.kind.value === "device" && !this.device.value.trim();
  }

  check() {
    tell(this.wrong, this.waits ? "The LFDI of a device is needed." : "");
    return !this.waits;
  }

  // As a preview names it.
  named() {
    if (this.kind.value === "all") return { group: SYSTEM };
    if (this.kind.value === "device") return { device: this.device.value.trim() };
    return { [this.kind.value]: Number(this[this.kind.value].value) };
  }

  // Where the control is POSTed.
  path() {
    const { group, device, program } = this.named();
    if (device) return `${BASE}/end-devices/${encodeURIComponent(device)}/controls`;
    return program ? `${BASE}/programs/${program}/controls` : `${BASE}/groups/${group}/controls`;
  }
}
