// Pages of a long table: which rows are shown, and two buttons.
import { h, say } from "./dom.js";

export class Pager {
  // size: rows of a page; turned: called after the operator has turned to another page.
  constructor(size, turned) {
    this.size = size;
    this.turned = turned;
    this.start = 0;
    this.words = h("span", { class: "muted" });
    this.back = h("button", { type: "button", onclick: () => this.turn(-size) }, "Previous");
    this.on = h("button", { type: "button", onclick: () => this.turn(size) }, "Next");
    this.node = h("div", { class: "row" }, this.back, this.on, this.words);
  }

  turn(by) {
    this.start = Math.max(0, this.start + by);
    this.turned();
  }

  // After rows have come: `total` there are.
  show(total) {
    if (this.start >= total && this.start) this.start = Math.max(0, total - (total % this.size || this.size));
    const end = Math.min(this.start + this.size, total);
    say(this.words, total > this.size ? `${this.start + 1} to ${end} of ${total}` : "");
    this.back.hidden = this.on.hidden = total <= this.size;
    this.back.disabled = !this.start;
    this.on.disabled = end >= total;
  }
}
