// The one-line diagram: buses coloured by their highest voltage, the whole feeder or one transformer; a click
// leads to a DER.
import { h, options, s, show, showChanged } from "/static/js/dom.js";
import { num } from "/static/js/format.js";
import { HIGH, LOW } from "/panels/feeder/profile.js";
import { behind, merged, placed, tree } from "/panels/feeder/tree.js";

// With more buses than this, those behind a transformer are drawn as one.
const MOST_BUSES = 150;
const WIDTH = 860;
// What stands beside the picture: the edges of the card and of the page.
const AROUND = 62;
const LETTER_PX = 7;
const DER_PX = 17;
// Of a bus with more DERs the first are drawn.
const MOST_DERS = 4;
const WHOLE = "the whole feeder";
const LEGEND =
  "A circle is a bus, a square the bus of a transformer, with its loading; not to scale. Filled ones have " +
  "a DER: choose one to open it. Red words, a ring: outside 0.95 to 1.05 pu, or above 100 % of the rating.";
const LEGEND_OF_MANY = " A square stands for all behind a transformer: choose it to see them.";

export class Diagram {
  constructor(context) {
    this.context = context;
    this.part = "";
    this.wanted = null;
    this.picture = h("div", {});
    this.told = h("p", { class: "note" });
    this.found = h("p", { class: "note", role: "status" });
    this.parts = h("select", { onchange: () => this.choose(this.parts.value) });
    const onchange = () => this.find(this.number.value);
    this.number = h("input", { type: "number", min: 1, onchange });
    const tools = h(
      "div",
      { class: "row" },
      h("label", {}, "Show", this.parts),
      h("label", {}, "Find DER", this.number),
    );
    this.node = h("div", {}, tools, this.found, scale(), this.picture, this.told);
  }

  draw(branches, buses, transformers) {
    this.last = [branches, buses, transformers];
    const count = countOfDers(buses);
    const entries = transformers.map(({ name }) => [name, `${name}, ${count.get(name) ?? 0} DERs`]);
    showChanged(this.parts, entries, () => options([["", WHOLE], ...entries], this.part));
    const many = !this.part && buses.length > MOST_BUSES;
    const nodes = this.part
      ? behind(branches, buses, this.part)
      : (many ? merged : tree)(branches, buses);
    this.showTree(nodes, new Map(transformers.map((each) => [each.bus, each])));
    this.told.textContent = LEGEND + (many ? LEGEND_OF_MANY : "");
    this.showFound(buses);
  }

  showTree(nodes, transformers) {
    const width = Math.min(WIDTH, Math.max(300, document.documentElement.clientWidth - AROUND));
    const longest = nodes.reduce((most, each) => Math.max(most, leafWords(each, transformers).length), 0);
    const { places, height } = placed(nodes, width, 30 + MOST_DERS + longest * LETTER_PX);
    const at = new Map(places.map((each) => [each.name, each]));
    const drawn = s(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "One-line diagram" },
      s("path", { d: lines(places, at), fill: "none", stroke: "var(--muted)", "stroke-width": 1.5 }),
      places.map((place) => this.dot(place, transformers.get(place.name))),
    );
    const focused = document.activeElement?.dataset?.mark;
    show(this.picture, drawn);
    if (focused) drawn.querySelector(`[data-mark="${CSS.escape(focused)}"]`)?.focus();
  }

  // A bus: its shape, its label, and a link to each of its DERs.
  dot(place, transformer) {
    const { name, pu, ders } = place;
    const load = transformer ? `, transformer at ${num(transformer.loading_pct, 0)} %` : "";
    const words = `${name}: ${num(pu, 4)} pu${load}`;
    const label = labelOf(place, transformer);
    if (transformer && ders.length > 1) return this.square(place, transformer.name, words, label);
    if (!ders.length) return s("g", {}, s("title", {}, words), shapeOf(place, transformer), label);
    const marks = ders.slice(0, MOST_DERS).map((number, index) => {
      const act = { role: "link", "aria-label": `DER ${number} at ${words}`, "data-der": number };
      const shape = shapeOf({ ...place, x: place.x + index * DER_PX }, transformer, this.wanted === number);
      return chosen({ ...act, "data-mark": `der-${number}` }, () => this.open(number), words, shape);
    });
    return s("g", {}, marks, label);
  }

  // All that is behind a transformer, as one.
  square(place, part, words, label) {
    const told = `${words}, ${place.ders.length} DERs: show them`;
    const act = { role: "button", "aria-label": told, "data-part": part, "data-mark": `part-${part}` };
    return chosen(act, () => this.choose(part), words, [shapeOf(place, true), label]);
  }

  choose(part) {
    this.part = part;
    this.parts.value = part;
    this.draw(...this.last);
  }

  // Shows where a DER is: the part of a large feeder that it is in, its mark, its bus and voltage.
  find(text) {
    this.wanted = text ? Number(text) : null;
    const [, buses] = this.last;
    const bus = buses.find(({ ders }) => ders.includes(this.wanted));
    const part = bus && (this.part || buses.length > MOST_BUSES);
    this.choose(part ? bus.transformer : this.part);
  }

  showFound(buses) {
    const number = this.wanted;
    const bus = buses.find(({ ders }) => ders.includes(number));
    const voltage = bus && num(Math.max(...bus.nodes.map(({ pu }) => pu)), 4);
    showChanged(this.found, [number, voltage], () => {
      if (number === null) return [];
      if (!bus) return [`There is no DER ${number} on this feeder.`];
      const open = h("button", { onclick: () => this.open(number) }, `Open DER ${number}`);
      return [`DER ${number} is at ${bus.bus}, ${voltage} pu. `, open];
    });
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

const outside = ({ pu, low }) => pu > HIGH || low < LOW;

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

function countOfDers(buses) {
  const count = new Map();
  for (const { transformer: name, ders } of buses) count.set(name, (count.get(name) ?? 0) + ders.length);
  return count;
}

// Something that is chosen by a click or by the keyboard.
function chosen(attributes, go, words, ...parts) {
  const onkeydown = (event) => (event.key === "Enter" || event.key === " " ? press(event, go) : null);
  const style = { cursor: "pointer" };
  return s("g", { ...attributes, tabindex: 0, onclick: go, onkeydown, style }, s("title", {}, words), parts);
}

function press(event, go) {
  event.preventDefault();
  go();
}

function shapeOf(place, transformer, wanted) {
  const { x, y, ders } = place;
  const color = colorOf(outside(place) && place.low < LOW && place.pu <= HIGH ? place.low : place.pu);
  const ring = outside(place) || wanted ? "var(--text)" : color;
  const look = { fill: ders.length ? color : "var(--card)", stroke: ring, "stroke-width": wanted ? 4 : 2.5 };
  return transformer
    ? s("rect", { x: x - 7, y: y - 7, width: 14, height: 14, ...look })
    : s("circle", { cx: x, cy: y, r: ders.length ? 7 : 5, ...look });
}

// What stands beside a leaf: its DERs or its name, and its voltage.
function leafWords({ name, ders, pu }, transformers) {
  const load = transformers.has(name) ? ` ${num(transformers.get(name).loading_pct, 0)} %` : "";
  const many = ders.length > MOST_DERS ? `, ${ders.length} DERs` : "";
  const one = ders.length && !many && !load;
  return `${one ? `DER ${ders.join(", ")}` : `${name}${load}${many}`}: ${num(pu, 3)} pu`;
}

function labelOf(place, transformer) {
  const { x, y, leaf, root, name, ders } = place;
  if (!leaf && !transformer && !root) return null;
  const beside = leaf ? leafWords(place, new Map(transformer ? [[name, transformer]] : [])) : null;
  const text = beside ?? (transformer ? `${name} ${num(transformer.loading_pct, 0)} %` : name);
  const marks = Math.max(0, Math.min(ders.length, MOST_DERS) - 1);
  const at = leaf
    ? { x: x + 13 + (transformer ? 0 : marks * DER_PX), y: y + 4 }
    : root
      ? { x: x + 7, y: y + 17 }
      : { x: x - 10, y: y - 10, "text-anchor": "end" };
  const loud = (leaf && outside(place)) || transformer?.loading_pct > 100;
  // A style, as the sheet's colour of a text is stronger than an attribute.
  return s("text", { class: "soft", style: loud ? { fill: "var(--bad)" } : {}, ...at }, text);
}

// Each bus to its parent, along its parent's line first.
function lines(places, at) {
  return places
    .filter(({ parent }) => at.has(parent))
    .map(({ parent, x, y }) => `M${at.get(parent).x.toFixed(1)},${at.get(parent).y}V${y}H${x.toFixed(1)}`)
    .join("");
}
