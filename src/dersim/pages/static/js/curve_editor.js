// A curve as a chart whose points can be dragged and as a table of numbers to type.
import { chart } from "./chart.js";
import { h, headRow, options, show } from "./dom.js";

const MOST_POINTS = 10;
const EXCITATIONS = [
  ["inject", "inject"],
  ["absorb", "absorb"],
];

// name: of the curve, for labels; titles: of x and y; excitation: whether each point has one (power factors).
// `picture` and `table` are the two nodes, `points` the values: [x, y] or [x, y, excitation].
export class CurveEditor {
  constructor({ name, points, titles, excitation = false }) {
    this.name = name;
    this.titles = titles;
    this.excitation = excitation;
    this.points = points.map((point) => [...point]);
    // Changed here and not yet set: what comes from elsewhere does not replace it.
    this.touched = false;
    // The curve in force, drawn dashed.
    this.standing = null;
    this.picture = h("div", {});
    this.table = h("div", {});
    this.draw();
    this.drawTable();
  }

  // Show these points, unless the user has changed what is shown.
  offer(points) {
    if (this.touched) return;
    this.points = points.map((point) => [...point]);
    this.drawTable();
  }

  add() {
    if (this.points.length >= MOST_POINTS) return;
    const last = this.points[this.points.length - 1];
    this.points.push([last[0] + 1, ...last.slice(1)]);
    this.changed();
  }

  remove(index) {
    this.points.splice(index, 1);
    this.changed();
  }

  changed() {
    this.touched = true;
    this.draw();
    this.drawTable();
  }

  draw() {
    const own = { points: this.points, color: "var(--accent)" };
    const standing = { points: this.standing, color: "var(--muted)", dash: "5 4" };
    const text = this.points.map((point) => `(${point.join(", ")})`).join(" ");
    show(
      this.picture,
      chart({
        lines: this.standing ? [standing, own] : [own],
        x: { title: this.titles[0], pad: 0.12 },
        y: { title: this.titles[1], pad: 0.15 },
        label: `${this.name}: ${text}`,
        handles: { ...own, moved: (index, x, y, end) => this.drag(index, x, y, end) },
      }),
    );
  }

  // A point stays between its neighbours.
  drag(index, x, y, end) {
    this.touched = true;
    if (end) {
      this.changed();
      return;
    }
    const low = index ? this.points[index - 1][0] : -Infinity;
    const high = index < this.points.length - 1 ? this.points[index + 1][0] : Infinity;
    const span = this.points[this.points.length - 1][0] - this.points[0][0];
    const digits = Math.abs(span) > 20 ? 1 : 2;
    this.points[index][0] = Number(Math.min(high, Math.max(low, x)).toFixed(digits));
    this.points[index][1] = Number(y.toFixed(this.excitation ? 3 : 1));
    this.drawTable();
  }

  drawTable() {
    const heads = ["Point", ...this.titles, ...(this.excitation ? ["Excitation"] : []), ""];
    const rows = this.points.map((point, index) => this.row(point, index));
    show(this.table, h("table", { class: "points" }, h("thead", {}, headRow(heads)), h("tbody", {}, rows)));
  }

  row(point, index) {
    const remove = {
      "aria-label": `Remove point ${index + 1}`,
      disabled: this.points.length < 2,
      onclick: () => this.remove(index),
    };
    return h(
      "tr",
      {},
      h("td", {}, index + 1),
      [0, 1].map((axis) => h("td", {}, this.numberInput(point, index, axis))),
      this.excitation ? h("td", {}, this.excitationChoice(point)) : null,
      h("td", {}, h("button", remove, "Remove")),
    );
  }

  numberInput(point, index, axis) {
    return h("input", {
      type: "number",
      step: "any",
      value: point[axis],
      "aria-label": `${this.name} point ${index + 1} ${axis ? "y" : "x"}`,
      onchange: (event) => {
        this.touched = true;
        point[axis] = Number(event.target.value);
        this.draw();
      },
    });
  }

  excitationChoice(point) {
    const onchange = (event) => {
      this.touched = true;
      point[2] = event.target.value;
    };
    return h("select", { onchange }, options(EXCITATIONS, point[2]));
  }
}
