// The one-line diagram: buses by distance, coloured by their highest voltage; a click leads to a DER.
import { h, s, show } from "/static/js/dom.js";
import { num } from "/static/js/format.js";
import { HIGH, LOW } from "/panels/feeder/profile.js";

// With more buses than this, those behind a transformer are drawn as one.
const MOST_BUSES = 150;
const ROW = 22;
const WIDTH = 860;
const LEFT = 20;
const RIGHT = 150;
const READABLE = 640;
const LABEL = "One-line diagram";
const LEGEND = "A circle is a bus, a square one behind a transformer; filled ones have a DER";

export class Diagram {
  constructor(context) {
    this.context = context;
    this.picture = h("div", { class: "scroll" });
    this.told = h("p", { class: "note" });
    this.node = h("div", {}, scale(), this.picture, this.told);
  }

  draw(branches, buses, transformers) {
    const loading = new Map(transformers.map(({ bus, loading_pct: now }) => [bus, now]));
    const places = placed(buses.length > MOST_BUSES ? merged(branches, buses) : tree(branches, buses));
    const height = (Math.max(...places.map(({ row }) => row)) + 1) * ROW + 20;
    const at = new Map(places.map((each) => [each.name, each]));
    const style = { "min-width": `${READABLE}px` }; // on a phone it scrolls rather than shrinks
    const drawn = s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: "group", "aria-label": LABEL, style },
      places.map((place) => lineTo(at.get(place.parent), place)),
      places.map((place) => this.dot(place, loading.get(place.name))),
    );
    const focused = document.activeElement?.dataset?.bus;
    show(this.picture, drawn);
    if (focused) drawn.querySelector(`[data-bus="${CSS.escape(focused)}"]`)?.focus();
    const ders = buses.reduce((sum, each) => sum + each.ders.length, 0);
    this.told.textContent = `${LEGEND} (${ders} in all): choose one to open it.`;
  }

  dot(place, loading) {
    const { x, y, pu, ders, name } = place;
    const load = loading === undefined ? "" : `, transformer at ${num(loading, 0)} %`;
    const words = `${name}: ${num(pu, 4)} pu${load}`;
    const look = { fill: ders.length ? colorOf(pu) : "var(--card)", stroke: colorOf(pu), "stroke-width": 3 };
    const shape =
      loading === undefined
        ? s("circle", { cx: x, cy: y, r: ders.length ? 7 : 5, ...look })
        : s("rect", { x: x - 7, y: y - 7, width: 14, height: 14, ...look });
    const parts = [s("title", {}, words), shape, this.label(place, loading)];
    if (!ders.length) return s("g", {}, parts);
    const go = () => this.open(ders[0]);
    const told = `${words}, DER ${ders.join(", ")}`;
    const onkeydown = (event) => (event.key === "Enter" ? go() : null);
    const act = { tabindex: 0, role: "link", "aria-label": told, "data-bus": name, onclick: go, onkeydown };
    return s("g", { ...act, style: { cursor: "pointer" } }, parts);
  }

  label({ x, y, name, ders, leaf }, loading) {
    if (!leaf && loading === undefined) return null;
    const load = loading === undefined ? "" : ` ${num(loading, 0)} %`;
    const many = ders.length > 3 ? `, ${ders.length} DERs` : "";
    const one = leaf && ders.length && !many;
    const text = one ? `DER ${ders.join(", ")}` : `${name}${load}${leaf ? many : ""}`;
    const place = leaf ? { x: x + 12, y: y + 4 } : { x: x - 10, y: y - 10, "text-anchor": "end" };
    const loud = loading > 100 ? "var(--bad)" : null;
    return s("text", { class: loud ? "" : "soft", fill: loud, ...place }, text);
  }

  open(number) {
    this.context.choose?.(number);
    location.hash = "#overview";
  }
}

// Blue below the band, green within, red above.
export function colorOf(pu) {
  const within = Math.min(1.2, Math.max(-0.2, (pu - LOW) / (HIGH - LOW)));
  const hue = within < 0.5 ? 210 - 180 * (within / 0.5) * 0.5 : 120 - 120 * Math.min(1, (within - 0.5) / 0.5);
  return `hsl(${Math.round(Math.max(0, hue))} 75% 45%)`;
}

const scale = () =>
  h(
    "p",
    { class: "note" },
    [LOW, 0.975, 1, 1.025, HIGH].map((pu) => [
      h("span", { "aria-hidden": "true", style: { color: colorOf(pu) } }, "\u25cf"),
      ` ${num(pu, 3)} `,
    ]),
    "pu, the highest of a bus's phases",
  );

const highest = (nodes) => Math.max(...nodes.map(({ pu }) => pu));

function tree(branches, buses) {
  const parents = new Map(branches.map(({ from_bus: from, to_bus: to }) => [to, from]));
  return buses
    .filter(({ km }) => km !== null)
    .map(({ bus: name, nodes, ...bus }) => ({ ...bus, name, parent: parents.get(name), pu: highest(nodes) }));
}

// The buses behind each transformer as one, at the transformer's bus.
function merged(branches, buses) {
  const ofBus = new Map(buses.map((each) => [each.bus, each]));
  const into = new Map(branches.filter(({ kind }) => kind === "transformer").map((b) => [b.name, b.to_bus]));
  const kept = new Map();
  for (const { bus, km, nodes, ders, transformer } of buses) {
    if (km === null) continue;
    const name = into.get(transformer) ?? bus;
    const found = kept.get(name) ?? { name, km: ofBus.get(name)?.km ?? km, pu: 0, ders: [] };
    kept.set(name, { ...found, pu: Math.max(found.pu, highest(nodes)), ders: [...found.ders, ...ders] });
  }
  for (const { from_bus: from, to_bus: to } of branches) if (kept.has(to)) kept.get(to).parent ??= from;
  return [...kept.values()];
}

// Rows from the leaves on: each leaf has one, a parent stands at its first child's.
function placed(nodes) {
  const children = new Map();
  const known = new Set(nodes.map(({ name }) => name));
  for (const node of nodes) {
    const parent = known.has(node.parent) ? node.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const far = Math.max(0.001, ...nodes.map(({ km }) => km));
  const deepest = Math.max(1, ...depths(children).values());
  const out = [];
  let row = 0;
  const walk = (node, depth) => {
    const below = children.get(node.name) ?? [];
    const first = row;
    below.forEach((child) => walk(child, depth + 1));
    if (!below.length) row += 1;
    // Half by distance, half by the number of branches: service lines are too short to be seen.
    const share = (node.km / far + depth / deepest) / 2;
    const x = LEFT + share * (WIDTH - LEFT - RIGHT);
    out.push({ ...node, leaf: !below.length, row: first, x, y: 20 + first * ROW });
  };
  (children.get(null) ?? []).forEach((root) => walk(root, 0));
  return out;
}

function depths(children) {
  const found = new Map();
  const walk = (node, depth) => {
    found.set(node.name, depth);
    (children.get(node.name) ?? []).forEach((child) => walk(child, depth + 1));
  };
  (children.get(null) ?? []).forEach((root) => walk(root, 0));
  return found;
}

function lineTo(parent, { x, y }) {
  if (!parent) return null;
  const points = `${parent.x},${parent.y} ${parent.x},${y} ${x},${y}`;
  return s("polyline", { points, fill: "none", stroke: "var(--muted)", "stroke-width": 1.5 });
}
