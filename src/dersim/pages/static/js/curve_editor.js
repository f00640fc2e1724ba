// A curve as a chart whose points can be dragged and as a table of numbers to type.
import { chart } from "./chart.js";
import { h, headRow, options, say, show } from "./dom.js";
import { objection, tell, verdictLine } from "./fields.js";
import { plain } from "./format.js";

const MOST_POINTS = 10;
const EXCITATIONS = [
  ["inject", "inject"],
  ["absorb", "absorb"],
];

// name: of the curve, for labels; titles: of x and y; excitation: whether each point has one (power factors);
// ranges: of x and y; changed: called when the user changes something.
// `picture` and `table` are the two nodes, `points` the values: [x, y] or [x, y, excitation].
export class CurveEditor {
  constructor({ name, titles, excitation = false, ranges, changed }) {
    this.name = name;
    this.titles = titles;
    this.excitation = excitation;
    this.ranges = ranges;
    this.changed = changed;
    this.points = [];
    // The curve that acts, drawn dashed, and what 100 % of y is: {positive, negative, unit}.
    this.acting = null;
    this.reference = null;
    this.dragging = false;
    this.picture = h("div", {});
    this.table = h("div", {});
    this.wrong = verdictLine();
  }

  offer(points) {
    if (JSON.stringify(points) === JSON.stringify(this.points)) return;
    this.points = points.map((point) => [...point]);
    this.draw();
    this.drawTable();
  }

  // What acts and the reference may change at any time; what is typed or dragged stays.
  showActing(points) {
    if (JSON.stringify(points) === JSON.stringify(this.acting)) return;
    this.acting = points;
    this.draw();
  }

  showReference(reference) {
    const unit = this.reference?.unit;
    this.reference = reference;
    if (unit !== reference?.unit) this.drawTable();
    else this.showResults();
  }

  add() {
    if (this.points.length >= MOST_POINTS) return;
    const last = this.points[this.points.length - 1];
    this.points.push([last[0] + 1, ...last.slice(1)]);
    this.edited();
  }

  remove(index) {
    this.points.splice(index, 1);
    this.edited();
  }

  edited() {
    this.changed();
    this.draw();
    this.drawTable();
  }

  draw() {
    if (this.dragging || this.points.flat().some(Number.isNaN)) return;
    const own = { points: this.points, color: "var(--accent)" };
    const acting = { points: this.acting, color: "var(--muted)", dash: "5 4" };
    const text = this.points.map((point) => `(${point.join(", ")})`).join(" ");
    show(
      this.picture,
      chart({
        lines: this.acting ? [acting, own] : [own],
        x: { title: this.titles[0], pad: 0.12 },
        y: { title: this.titles[1], pad: 0.15 },
        label: `${this.name}: ${text}`,
        handles: { ...own, moved: (index, x, y, end) => this.drag(index, x, y, end) },
      }),
    );
  }

  // A point stays between its neighbours.
  drag(index, x, y, end) {
    this.dragging = !end;
    if (end) {
      this.draw();
      return;
    }
    this.changed();
    const low = index ? this.points[index - 1][0] : -Infinity;
    const high = index < this.points.length - 1 ? this.points[index + 1][0] : Infinity;
    const span = this.points[this.points.length - 1][0] - this.points[0][0];
    const digits = Math.abs(span) > 20 ? 1 : 2;
    this.points[index][0] = Number(Math.min(high, Math.max(low, x)).toFixed(digits));
    this.points[index][1] = Number(y.toFixed(this.excitation ? 3 : 1));
    this.drawTable();
  }

  drawTable() {
    const { unit } = this.reference || {};
    this.results = this.points.map(() => h("td", { class: "n" }));
    const more = [...(this.excitation ? ["Excitation"] : []), ...(this.resulting() ? [`in ${unit}`] : [])];
    const rows = this.points.map((point, index) => this.row(point, index));
    const head = headRow(["#", ...this.titles, ...more, ""]);
    show(this.table, h("table", { class: "points" }, h("thead", {}, head), h("tbody", {}, rows)), this.wrong);
    this.showResults();
  }

  resulting() {
    return this.reference !== null && this.reference.positive !== null;
  }

  row(point, index) {
    const remove = {
      "aria-label": `Remove point ${index + 1}`,
      title: "Remove this point",
      disabled: this.points.length < 2,
      onclick: () => this.remove(index),
    };
    return h(
      "tr",
      {},
      h("td", {}, index + 1),
      [0, 1].map((axis) => h("td", {}, this.numberInput(point, index, axis))),
      this.excitation ? h("td", {}, this.excitationChoice(point, index)) : null,
      this.resulting() ? this.results[index] : null,
      h("td", {}, h("button", remove, "\u00d7")),
    );
  }

  numberInput(point, index, axis) {
    return h("input", {
      type: "number",
      step: "any",
      value: point[axis],
      "aria-label": `${this.name} point ${index + 1} ${axis ? "y" : "x"}`,
      oninput: ({ target }) => {
        this.changed();
        target.removeAttribute("aria-invalid");
        point[axis] = target.value === "" ? NaN : Number(target.value);
        this.draw();
        this.showResults();
      },
    });
  }

  excitationChoice(point, index) {
    const onchange = (event) => {
      this.changed();
      point[2] = event.target.value;
      this.showResults();
    };
    const label = `${this.name} point ${index + 1} excitation`;
    return h("select", { onchange, "aria-label": label }, options(EXCITATIONS, point[2]));
  }

  showResults() {
    if (!this.resulting()) return;
    this.points.forEach((point, index) => say(this.results[index], this.result(point)));
  }

  // What y is in W, var or V now; of a power factor the var at that power.
  result([x, y, excitation]) {
    const { positive, negative } = this.reference;
    let value = (y / 100) * (y < 0 ? negative : positive);
    if (excitation) {
      const share = Math.sqrt(Math.max(0, 1 / (y * y) - 1)) * (excitation === "absorb" ? -1 : 1);
      value = (x / 100) * positive * share;
    }
    return Number.isFinite(value) ? plain(Number(value.toFixed(positive < 1000 ? 1 : 0))) : "\u2013";
  }

  // The first thing that is wrong is said below the table, and its field has the focus.
  check() {
    const inputs = [...this.table.querySelectorAll("input")];
    let text = "";
    this.points.forEach((point, index) => {
      for (const axis of [0, 1]) {
        if (text) return;
        const said = this.objectionTo(point, index, axis);
        if (!said) continue;
        text = `Point ${index + 1}, ${this.titles[axis]}: ${said}.`;
        inputs[2 * index + axis].setAttribute("aria-invalid", "true");
        inputs[2 * index + axis].focus();
      }
    });
    tell(this.wrong, text);
    return !text;
  }

  objectionTo(point, index, axis) {
    const before = index ? this.points[index - 1][0] : -Infinity;
    if (!axis && point[0] < before) return `${plain(point[0])} is below that of point ${index}`;
    return objection(Number.isNaN(point[axis]) ? "" : point[axis], this.ranges[axis] || {});
  }
}
