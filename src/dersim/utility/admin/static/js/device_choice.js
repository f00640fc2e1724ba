// Which device a view is about: by number, LFDI or its first digits; empty is all, where all are allowed.
import { getPlain } from "./api.js";
import { h, say } from "./dom.js";
import { shortId } from "./format.js";

const OFFERED = 20;

export class DeviceChoice {
  // lfdi: of the device to begin with; chosen: called with the LFDI, or null for all.
  constructor({ lfdi = null, label = "Device", placeholder = "number or LFDI", chosen }) {
    this.lfdi = lfdi;
    this.chosen = chosen;
    this.list = h("datalist", { id: `devices-${Math.random().toString(36).slice(2)}` });
    const onchange = () => this.take(this.field.value.trim());
    const facts = { type: "search", list: this.list.id, placeholder, autocomplete: "off" };
    this.field = h("input", { ...facts, onchange });
    this.field.value = lfdi || "";
    this.told = h("small", { class: "muted", role: "status", hidden: true });
    this.node = h("label", {}, label, this.field, this.list, this.told);
    this.offer().catch(() => {});
  }

  async offer() {
    const { rows } = await getPlain("/api/utility/fleet", { limit: OFFERED });
    const entries = rows.map(({ id, lfdi }) => h("option", { value: lfdi }, `#${id} ${shortId(lfdi)}`));
    this.list.replaceChildren(...entries);
    return rows;
  }

  async take(given) {
    const text = given.replace("#", "").toUpperCase();
    const rows = text ? (await getPlain("/api/utility/fleet", { text, limit: 2 })).rows : [];
    const exact = rows.find(({ id, lfdi }) => String(id) === text || lfdi === text);
    const found = exact || (rows.length === 1 ? rows[0] : null);
    say(this.told, rows.length ? "Several devices are like this." : "No device is like this.");
    this.told.hidden = !text || Boolean(found);
    if (text && !found) return;
    this.lfdi = found?.lfdi ?? null;
    this.field.value = this.lfdi || "";
    this.chosen(this.lfdi);
  }
}
