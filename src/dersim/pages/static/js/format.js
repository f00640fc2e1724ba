// Numbers with a true minus and fixed decimals; times in the reader's zone with UTC at hand.
export function num(value, decimals = 2) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const text = Number(value).toFixed(decimals);
  return Number(text) === 0 ? (0).toFixed(decimals) : text.replace("-", "\u2212");
}

// As short as the value allows. Whole numbers stay whole: an SFDI has twelve digits.
export function plain(value) {
  if (typeof value !== "number") return String(value);
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(9))).replace("-", "\u2212");
}

// To five digits, as much as a rating says.
export const round = (value) => plain(typeof value === "number" ? Number(value.toPrecision(5)) : value);

const two = (n) => String(n).padStart(2, "0");

export function clock(time, seconds = true) {
  if (!time) return "–";
  const d = new Date(time);
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

export function clockMs(time) {
  return time ? `${clock(time)}.${String(new Date(time).getMilliseconds()).padStart(3, "0")}` : "–";
}

export const utc = (time) =>
  time ? new Date(time).toISOString().replace("T", " ").replace("Z", " UTC") : "–";

export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const left = Math.max(0, Math.round(seconds));
  if (left < 120) return `${left} s`;
  if (left < 7200) return `${Math.round(left / 60)} min`;
  return `${num(left / 3600, 1)} h`;
}

export const bytes = (n) => (n < 1000 ? `${n} B` : `${num(n / 1000, 1)} kB`);

export function shortId(text, head = 4, tail = 4) {
  if (!text) return "–";
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

// A mode's value in words: {"opModMaxLimW": 40} -> "opModMaxLimW 40 %".
const UNITS = {
  opModMaxLimW: "%",
  opModFixedW: "%",
  opModTargetW: "W",
  opModTargetVar: "var",
  rampTms: "s",
  setGradW: "%/s",
  setSoftGradW: "%/s",
  setESDelay: "s",
  setESRandomDelay: "s",
  setESRampTms: "s",
  setESLowVolt: "%",
  setESHighVolt: "%",
  setESLowFreq: "Hz",
  setESHighFreq: "Hz",
  InWRte: "%",
  OutWRte: "%",
  MinRsvPct: "%",
};

export function value(mode, v) {
  if (v === null || v === undefined) return "withdrawn";
  if (typeof v === "boolean") return v ? "on" : "off";
  if (typeof v === "number") return `${plain(v)} ${UNITS[mode] || ""}`.trim();
  if (v.curve) return v.curve.map((p) => `(${p.map(plain).join(", ")})`).join(" ");
  if ("pf" in v) return `PF ${plain(v.pf)}, ${v.excitation}`;
  if ("percent" in v) return `${plain(v.percent)} % of ${v.ref}`;
  return Object.entries(v)
    .map(([k, x]) => `${k} ${plain(x)}`)
    .join(", ");
}

export const modes = (all) =>
  Object.entries(all || {})
    .map(([mode, v]) => `${mode} ${value(mode, v)}`)
    .join("; ");
