// The life of controls in words: how many devices are at which stage, and each step of one device.
import { h, stamp } from "./dom.js";
import { span } from "./format.js";

// Stages in the order of a control's life, with the look of their pill.
const STAGES = [
  ["unread", "not read yet", "muted"],
  ["read", "read, not answered", "warn"],
  ["received", "received", ""],
  ["started", "started", "good"],
  ["completed", "completed", "good"],
  ["cancelled", "cancelled", "muted"],
  ["superseded", "superseded", "muted"],
  ["opted out", "opted out", "warn"],
  ["refused", "refused", "bad"],
];

export const STAGE_CHOICES = STAGES.map(([stage, words]) => [stage, words]);

const WORDS = new Map(STAGES.map(([stage, words]) => [stage, words]));
const LOOKS = new Map(STAGES.map(([stage, , look]) => [stage, look]));

export const stagePill = (stage, words = WORDS.get(stage)) =>
  h("span", { class: `pill ${LOOKS.get(stage)}` }, words);

// "12 started, 1 refused", each a pill.
export function countPills(counts) {
  const known = STAGES.filter(([stage]) => counts[stage]);
  if (!known.length) return h("span", { class: "muted" }, "for no device");
  return h(
    "span",
    { class: "pills" },
    known.map(([stage, words]) => stagePill(stage, `${counts[stage]} ${words}`)),
  );
}

const LATE = "bad";
// "4 s late", nothing where it was in time or is not known.
export function lateWords(seconds) {
  if (!seconds) return null;
  return h("span", { class: LATE }, ` ${span(Math.abs(seconds))} ${seconds < 0 ? "early" : "late"}`);
}

const STATUS_LOOKS = { scheduled: "", active: "good", completed: "muted" };
// Of a control that was taken out of its list before its end the status tells nothing any more.
export function statusPill({ control: { status, status_text }, listed }) {
  const words = !listed && status < 2 ? "taken back" : status_text;
  return h("span", { class: `pill ${STATUS_LOOKS[words] ?? "muted"}` }, words);
}

// When a control is in force, with its randomization.
export function whenOf({ start, duration_s, randomize_start_s, randomize_duration_s }) {
  const random = [
    randomize_start_s ? `start ${signed(randomize_start_s)} s` : null,
    randomize_duration_s ? `duration ${signed(randomize_duration_s)} s` : null,
  ].filter(Boolean);
  return [
    stamp(start),
    ` for ${span(duration_s)}`,
    random.length ? h("div", { class: "muted" }, `randomized: ${random.join(", ")}`) : null,
  ];
}

const signed = (seconds) => (seconds < 0 ? `\u2212${-seconds} to 0` : `0 to ${seconds}`);

// What a control orders, with its description.
export function orderOf({ control, orders }) {
  const short = orders.map(({ mode, text }) => `${mode} ${control.modes[mode]?.curve ? "curve" : text}`);
  const told = short.join("; ");
  return control.description ? [told, h("div", { class: "muted" }, control.description)] : told;
}

// The address of a control; the beginning of an mRID tells it from others.
export const linkTo = ({ mRID }) =>
  h("div", { class: "mono" }, h("a", { href: `#controls/${mRID}`, title: mRID }, `${mRID.slice(0, 8)}…`));

// Where there were more Responses than are kept.
export const incompleteWords = ({ incomplete }) =>
  incomplete ? h("div", { class: "warn" }, "its oldest Responses are no longer kept") : null;

// Why devices refused it: "rejected: mode not supported (19)".
export const refusalWords = ({ refusals }) =>
  Object.entries(refusals).map(([text, count]) => h("div", { class: "bad" }, `${text} (${count})`));
