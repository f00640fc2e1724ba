// Voltage over distance: the branches of each phase, the band, the DERs, and the span of the day at each bus.
import { chart } from "/static/js/chart.js";
import { h } from "/static/js/dom.js";
import { num } from "/static/js/format.js";

export const LOW = 0.95;
export const HIGH = 1.05;
const PHASES = [
  ["A", "var(--c-p)"],
  ["B", "var(--c-q)"],
  ["C", "var(--c-s)"],
];
// A node below is without voltage.
const DEAD = 0.01;
// Of more DERs none is told by name.
const MOST_NAMED = 100;

// beside: the buses of the other chart, so that both have one scale; null for one alone.
export function profileChart(branches, buses, title, beside) {
  const fed = buses.filter(({ km }) => km !== null);
  const far = fed.reduce((most, { km }) => Math.max(most, km), 0.001);
  const ders = fed.filter((bus) => bus.ders.length).filter(({ nodes }) => highest(nodes) > DEAD);
  const named = ders.length <= MOST_NAMED;
  const picture = chart({
    lines: [...bandLines(far), daySpans(fed), ...phaseLines(branches, fed), ...(named ? [] : [dots(ders)])],
    marks: named ? ders.map(derMark) : [],
    x: { title: "Distance from the head, km", low: 0, high: far * 1.01 },
    y: { title: "Voltage, pu", ...scaleOf([...fed, ...(beside || [])]) },
    label: `${title}: voltage of each bus over its distance from the head, ${spanWords(fed)}`,
  });
  return h("div", {}, h("p", { class: "note" }, `${title}: ${spanWords(fed)}`), picture);
}

// The phases by their colours, as far as the feeder has them.
export function phaseLegend(buses) {
  const nodes = new Set(buses.flatMap((bus) => bus.nodes.map(({ node }) => node)));
  const found = PHASES.filter((_, index) => nodes.has(index + 1));
  return found.map(([name, color]) => [sample(color), ` phase ${name} `]);
}

export const sample = (color) => h("span", { "aria-hidden": "true", style: { color } }, "\u2501");

const highest = (nodes) => nodes.reduce((most, { pu }) => Math.max(most, pu), 0);

const nodesOf = (buses) => buses.flatMap(({ nodes }) => nodes).filter(({ pu }) => pu > DEAD);

function scaleOf(buses) {
  const found = nodesOf(buses);
  const least = found.reduce((a, { pu, min_pu: min }) => Math.min(a, pu, min > DEAD ? min : pu), LOW);
  const most = found.reduce((a, { pu, max_pu: max }) => Math.max(a, pu, max ?? pu), HIGH);
  return { low: least - 0.005, high: most + 0.005 };
}

function spanWords(buses) {
  const found = nodesOf(buses).map(({ pu }) => pu);
  const ends = [found.reduce((a, b) => Math.min(a, b), Infinity), found.reduce((a, b) => Math.max(a, b), 0)];
  return `${ends[0].toFixed(3)} to ${ends[1].toFixed(3)} pu`;
}

const bandLines = (far) =>
  [LOW, HIGH].map((pu) => ({
    points: [
      [0, pu],
      [far * 1.01, pu],
    ],
    color: "var(--bad)",
    dash: "6 4",
  }));

// At each bus an upright line from today's lowest to today's highest of its phases.
function daySpans(buses) {
  const parts = buses.flatMap(({ km, nodes }) => {
    const seen = nodes.filter(({ min_pu: least }) => least > DEAD);
    if (!seen.length) return [];
    const low = seen.reduce((a, { min_pu: least }) => Math.min(a, least), Infinity);
    const high = seen.reduce((a, { max_pu: most }) => Math.max(a, most), 0);
    return [
      [
        [km, low],
        [km, high],
      ],
    ];
  });
  return { parts, color: "var(--muted)", width: 1 };
}

// One line a phase, of as many strokes as there are branches: a feeder of a thousand buses is three elements.
function phaseLines(branches, buses) {
  const at = new Map(buses.map((bus) => [bus.bus, bus]));
  const parts = PHASES.map(() => []);
  for (const { from_bus: from, to_bus: to } of branches) {
    const [a, b] = [at.get(from), at.get(to)];
    for (const { node, pu } of a && b ? b.nodes : []) {
      const other = a.nodes.find((each) => each.node === node) ?? a.nodes[0];
      if (!(other?.pu > DEAD) || !(pu > DEAD)) continue;
      parts[(node - 1) % PHASES.length].push([
        [a.km, other.pu],
        [b.km, pu],
      ]);
    }
  }
  return PHASES.map(([, color], index) => ({ parts: parts[index], color }));
}

// Strokes of no length with round ends.
function dots(ders) {
  const parts = ders.map(({ km, nodes }) => {
    const point = [km, highest(nodes)];
    return [point, point];
  });
  return { parts, color: "var(--text)", width: 6, cap: "round" };
}

function derMark({ km, nodes, bus, ders }) {
  const pu = highest(nodes);
  return { x: km, y: pu, color: "var(--text)", told: `DER ${ders.join(", ")} at ${bus}: ${num(pu, 4)} pu` };
}
