// Elements from plain calls. Styles go through CSSOM, because the page's policy forbids style attributes.
import { clock, clockMs, utc } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else if (name === "value" && "value" in node) node.value = value;
    else if (name === "checked" || name === "disabled" || name === "selected") node[name] = Boolean(value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

// An instant, alike on all pages: the reader's time of day, with `ms` where lines come in quick succession,
// and UTC with the date on hovering. Texts without elements (labels, plots) have `clock` alone.
export function stamp(time, ms = false) {
  if (!time) return "–";
  const facts = { datetime: new Date(time).toISOString(), title: utc(time) };
  return h("time", facts, ms ? clockMs(time) : clock(time));
}

// The same where there is room for UTC beside it.
export const instant = (time, ms = false) => (time ? [stamp(time, ms), ` (${utc(time)})`] : null);

export function show(node, ...children) {
  node.replaceChildren(
    ...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false),
  );
  return node;
}

// Draws anew only where `facts` changed: what is in focus stays in focus.
export function showChanged(node, facts, draw) {
  const text = JSON.stringify(facts);
  if (node.shownFacts !== text) show(node, draw());
  node.shownFacts = text;
}

export const card = (title, ...children) =>
  h("section", { class: "card" }, title ? h("h2", {}, title) : null, children);

// What is wider than its place scrolls in it; by the arrow keys too, and is in the tab order only then.
const scrollers = new ResizeObserver((entries) => {
  for (const place of new Set(entries.map(({ target }) => target.closest(".scroll")).filter(Boolean))) {
    const fits = place.scrollWidth <= place.clientWidth && place.scrollHeight <= place.clientHeight;
    if (fits) place.removeAttribute("tabindex");
    else place.tabIndex = 0;
  }
});

export function scroller(...children) {
  const place = h("div", { class: "scroll" }, children);
  for (const node of [place, ...place.children]) scrollers.observe(node);
  return place;
}

// Columns are titles, those in `numbers` above numbers; or {title, n: whether of numbers}.
// On a phone the rows of a wide table become cards; a table of numbers stays one, to be compared.
export function table(columns, rows, { caption, empty = "Nothing yet.", numbers = [] } = {}) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const titles = columns.map((each) => each.title ?? each);
  const counted = [...numbers, ...columns.filter(({ n }) => n).map(({ title }) => title)];
  const cards = titles.length > 3 && counted.length < titles.length - 1;
  if (cards) for (const row of rows) cardRow(row, titles);
  const head = headRow(titles, counted);
  const parts = [caption ? h("caption", {}, caption) : null, h("thead", {}, head), h("tbody", {}, rows)];
  return scroller(h("table", { class: cards ? "cards" : null }, parts));
}

// A row of a table of class `cards`: on a phone each cell shows its column's title (style.css).
export function cardRow(row, titles) {
  [...row.cells].forEach((cell, index) => {
    if (titles[index]) cell.dataset.title = titles[index];
  });
  return row;
}

// The head row of a table; the titles in `numbers` are above columns of numbers.
export const headRow = (titles, numbers = []) =>
  h(
    "tr",
    {},
    titles.map((title) =>
      title ? h("th", { scope: "col", class: numbers.includes(title) ? "n" : null }, title) : h("td", {}),
    ),
  );

export const options = (entries, chosen) =>
  entries.map(([value, text]) => h("option", { value, selected: value === chosen }, text));

export const note = (...children) => h("p", { class: "note" }, children);

// Where a page says what fails; empty at first.
export const troubleLine = () => h("p", { class: "trouble", hidden: true });

export function pairs(entries) {
  return h(
    "dl",
    { class: "kv" },
    entries.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value ?? "–")]),
  );
}

// Sets text only where it changed: cheap, and quiet for screen readers.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
