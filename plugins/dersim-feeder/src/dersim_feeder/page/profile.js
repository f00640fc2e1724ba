// Voltage over distance: a line for each branch and phase, the band, and the extremes of the day.
import { chart } from "/static/js/chart.js";
import { h } from "/static/js/dom.js";

export const LOW = 0.95;
export const HIGH = 1.05;
const COLORS = ["var(--c-p)", "var(--c-q)", "var(--c-vll)"];
const MOST_LINES = 600;
const BINS = 60;

// beside: the buses of the other chart, so that both have one scale; null for one alone.
export function profileChart(branches, buses, title, beside) {
  const fed = buses.filter(({ km }) => km !== null);
  const detail = branches.length * 3 <= MOST_LINES;
  const lines = detail ? branchLines(branches, fed) : envelope(fed);
  const far = Math.max(0.001, ...fed.map(({ km }) => km));
  const marks = detail ? fed.filter(({ ders }) => ders.length).map(derMark) : [];
  const picture = chart({
    lines: [...bandLines(far), ...extremes(fed), ...lines],
    marks: marks.filter(({ y }) => y !== null),
    x: { title: "km from the head", low: 0, high: far },
    y: { title: "pu", ...scaleOf([...fed, ...(beside || [])]) },
    label: `${title}: voltage of each bus over its distance from the head, ${spanWords(fed)}`,
  });
  return h("div", {}, h("p", { class: "note" }, `${title}: ${spanWords(fed)}`), picture);
}

const nodesOf = (buses) => buses.flatMap(({ nodes }) => nodes).filter(({ pu }) => pu > 0.01);

function scaleOf(buses) {
  const found = nodesOf(buses).flatMap(({ pu, max_pu: most }) => [pu, most ?? pu]);
  return { low: Math.min(LOW, ...found) - 0.005, high: Math.max(HIGH, ...found) + 0.005 };
}

function spanWords(buses) {
  const found = nodesOf(buses).map(({ pu }) => pu);
  return `${Math.min(...found).toFixed(3)} to ${Math.max(...found).toFixed(3)} pu`;
}

const bandLines = (far) =>
  [LOW, HIGH].map((pu) => ({
    points: [
      [0, pu],
      [far, pu],
    ],
    color: "var(--bad)",
    dash: "6 4",
  }));

// The highest and the lowest of today, over all buses so far from the head.
function extremes(buses) {
  if (buses.some(({ nodes }) => nodes.some(({ max_pu: most }) => most === undefined))) return [];
  const high = bins(buses, (nodes) => Math.max(...nodes.map(({ max_pu: most }) => most)), Math.max);
  const low = bins(buses, (nodes) => Math.min(...nodes.map(({ min_pu: least }) => least)), Math.min);
  return [high, low].map((points) => ({ points, color: "var(--muted)", dash: "2 3" }));
}

function bins(buses, of, better) {
  const far = Math.max(0.001, ...buses.map(({ km }) => km));
  const found = new Map();
  for (const { km, nodes } of buses) {
    const bin = Math.round((km / far) * BINS);
    const value = of(nodes);
    if (value > 0.01) found.set(bin, found.has(bin) ? better(found.get(bin), value) : value);
  }
  return [...found].sort(([a], [b]) => a - b).map(([bin, value]) => [(bin / BINS) * far, value]);
}

function branchLines(branches, buses) {
  const at = new Map(buses.map((bus) => [bus.bus, bus]));
  return branches.flatMap(({ from_bus: from, to_bus: to }) => {
    const [a, b] = [at.get(from), at.get(to)];
    if (!a || !b) return [];
    return b.nodes.flatMap(({ node, pu }) => {
      const other = a.nodes.find((each) => each.node === node) ?? a.nodes[0];
      if (!other || !(other.pu > 0.01) || !(pu > 0.01)) return [];
      const points = [
        [a.km, other.pu],
        [b.km, pu],
      ];
      return [{ points, color: COLORS[(node - 1) % COLORS.length] }];
    });
  });
}

// For a feeder of many buses: the highest and the lowest voltage by distance.
function envelope(buses) {
  const pu = (nodes) => nodes.map((each) => each.pu).filter((each) => each > 0.01);
  return [Math.max, Math.min].map((pick, index) => ({
    points: bins(buses, (nodes) => pick(...pu(nodes)), pick),
    color: COLORS[index],
  }));
}

function derMark({ km, nodes }) {
  const found = nodes.map(({ pu }) => pu).filter((pu) => pu > 0.01);
  return { x: km, y: found.length ? Math.max(...found) : null, color: "var(--text)" };
}
