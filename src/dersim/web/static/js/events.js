// What was in force over time, as bands under a plot.
import { get } from "./api.js";
import { value } from "./format.js";

// The default control always acts: as a band it would tell nothing.
const ALWAYS = ["csip-default"];
const LONGEST = 24;

export async function loadBands(seconds) {
  return bandsOf(await get("/api/dersim/timeline", { seconds }));
}

export function bandsOf({ applied, bound }) {
  return [...controlBands(applied), ...outages(bound)].sort((a, b) => a.start - b.start);
}

// While the DER was out of service, or ceased.
const outages = (bound) =>
  bound
    .filter(({ quantity, out }) => quantity === "p" && out)
    .map(({ text, start, end }) => ({
      kind: "trip",
      lane: "out of service",
      text: text.replace(/ \(.*/, ""),
      start: Date.parse(start),
      end: end ? Date.parse(end) : null,
    }));

function controlBands(applied) {
  return applied
    .filter(({ mode, source }) => !mode.startsWith("set") && !ALWAYS.includes(source))
    .map(({ mode, source, value: setpoint, start, end }) => ({
      kind: "control",
      lane: source === "csip" ? mode : `${mode}, ${source}`,
      text: shortValue(mode, setpoint),
      start: Date.parse(start),
      end: end ? Date.parse(end) : null,
    }));
}

// Curves and droops have too many numbers for a band.
function shortValue(mode, setpoint) {
  if (setpoint?.curve) return "curve";
  const text = value(mode, setpoint);
  return text.length > LONGEST ? "" : text;
}
