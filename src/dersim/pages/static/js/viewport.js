// Which part of the time a plot shows: the newest, following live, or a part chosen by zoom and pan.
const SHORTEST_MS = 5000;

export class Viewport {
  // limits() -> [oldest, newest], ms: what there is to see; changed() is called after each change.
  constructor(limits, changed) {
    this.limits = limits;
    this.changed = changed;
    this.chosen = null;
  }

  get live() {
    return this.chosen === null;
  }

  window() {
    return this.chosen || this.limits();
  }

  // The whole of it follows live again.
  set(start, end) {
    const [oldest, newest] = this.limits();
    const most = newest - oldest;
    const width = Math.min(Math.max(end - start, SHORTEST_MS), most);
    const begin = Math.min(Math.max(start, oldest), newest - width);
    this.chosen = width >= most * 0.999 ? null : [begin, begin + width];
    this.changed();
  }

  // By a factor below 1 closer, above 1 wider; what is at time `at` stays where it is.
  zoom(factor, at) {
    const [start, end] = this.window();
    const middle = at ?? (start + end) / 2;
    const width = Math.max((end - start) * factor, SHORTEST_MS);
    const begin = middle - ((middle - start) / (end - start)) * width;
    this.set(begin, begin + width);
  }

  pan(by) {
    const [start, end] = this.window();
    if (!this.live) this.set(start + by, end + by);
  }

  follow() {
    this.chosen = null;
    this.changed();
  }
}
