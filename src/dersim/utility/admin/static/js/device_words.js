// What is said of a device in more than one view.
import { h } from "./dom.js";
import { num } from "./format.js";

const LOOKS = { connected: "good", silent: "bad", "never seen": "muted", disabled: "warn" };

export const statePill = ({ state }) => h("span", { class: `pill ${LOOKS[state]}` }, state);

export function powerWords(watts) {
  if (watts === null) return "–";
  return Math.abs(watts) < 1000 ? `${num(watts, 0)} W` : `${num(watts / 1000, 2)} kW`;
}
