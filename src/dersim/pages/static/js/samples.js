// Samples of several traces side by side: times rise, in milliseconds; a missing value is NaN.
const FIRST_ROOM = 1024;
const GAP_FACTOR = 3.5;
const NEIGHBOURS = 5;
// Samples that must follow a gap.
const AFTER = 2;

function median(numbers) {
  const sorted = numbers.sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

export class Samples {
  constructor(keys) {
    this.keys = keys;
    this.clear(FIRST_ROOM);
  }

  clear(room) {
    this.length = 0;
    this.time = new Float64Array(room);
    this.columns = Object.fromEntries(this.keys.map((key) => [key, new Float64Array(room)]));
  }

  get oldest() {
    return this.length ? this.time[0] : NaN;
  }

  get newest() {
    return this.length ? this.time[this.length - 1] : NaN;
  }

  // A whole history document. What is held from before its first sample stays: after a restart of the
  // simulator the samples before it, then a gap.
  load(past) {
    const begin = past.time.length ? Date.parse(past.time[0]) : NaN;
    const kept = past.time.length ? this.first(begin) : this.length;
    const before = { time: this.time, columns: this.columns };
    const room = Math.max(FIRST_ROOM, 2 ** Math.ceil(Math.log2(kept + past.time.length + 1)));
    this.clear(room);
    this.length = kept + past.time.length;
    this.time.set(before.time.subarray(0, kept));
    past.time.forEach((text, index) => (this.time[kept + index] = Date.parse(text)));
    for (const key of this.keys) {
      const column = this.columns[key];
      column.set(before.columns[key].subarray(0, kept));
      const values = past[key] || [];
      for (let i = 0; i < past.time.length; i++) column[kept + i] = values[i] ?? NaN;
    }
  }

  // False where the sample is not newer than the last one.
  append(time, values) {
    if (this.length && time <= this.newest) return false;
    if (this.length === this.time.length) this.grow();
    this.time[this.length] = time;
    for (const key of this.keys) this.columns[key][this.length] = values[key] ?? NaN;
    this.length += 1;
    return true;
  }

  grow() {
    const larger = (old) => {
      const array = new Float64Array(old.length * 2);
      array.set(old);
      return array;
    };
    this.time = larger(this.time);
    for (const key of this.keys) this.columns[key] = larger(this.columns[key]);
  }

  forget(before) {
    const cut = this.first(before);
    for (const array of [this.time, ...Object.values(this.columns)]) array.copyWithin(0, cut, this.length);
    this.length -= cut;
  }

  // The index of the first sample at or after a time.
  first(time) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  nearest(time) {
    const index = Math.min(this.first(time), this.length - 1);
    const before = index > 0 && time - this.time[index - 1] < this.time[index] - time;
    return before ? index - 1 : index;
  }

  // The sample whose values hold at a time, -1 where there is no data.
  at(time) {
    const within = ([start, end]) => start < time && time < end;
    const gone = !(time >= this.oldest) || this.gaps(time, time).some(within);
    return gone ? -1 : this.nearest(time);
  }

  // Whether there is no data between sample i and the one before: the distance is far longer than usual on
  // both sides, so that another rate of the simulated time is none. Of the newest samples none can tell yet.
  gapBefore(i) {
    const { time } = this;
    if (i + AFTER >= this.length) return false;
    const wide = time[i] - time[i - 1];
    const next = time[i + 1] - time[i];
    if (!(wide > GAP_FACTOR * Math.min(i > 1 ? time[i - 1] - time[i - 2] : next, next))) return false;
    const usual = Math.max(this.usual(i - NEIGHBOURS, i - 1), this.usual(i + 1, i + NEIGHBOURS));
    return usual > 0 && wide > GAP_FACTOR * usual;
  }

  // The median distance of the samples from..to from the one before each; 0 where there is none.
  usual(from, to) {
    const found = [];
    for (let i = Math.max(1, from); i <= to && i < this.length; i++)
      found.push(this.time[i] - this.time[i - 1]);
    return found.length ? median(found) : 0;
  }

  // The lowest and highest value of samples from..to; null where there is none.
  range(key, from, to) {
    const values = this.columns[key];
    let low = Infinity;
    let high = -Infinity;
    for (let i = from; i < to; i++) {
      const value = values[i];
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low <= high ? [low, high] : null;
  }

  // The times without data between two times, as [start, end] pairs: far from one sample to the next, or a
  // row without values, which tells that the process was stopped and simulated time with it.
  gaps(start, end) {
    const { time } = this;
    const values = this.columns[this.keys[0]];
    const found = [];
    for (let i = Math.max(1, this.first(start)); i < this.length && time[i - 1] <= end; i++) {
      if (values[i] !== values[i]) found.push([time[i - 1], time[Math.min(i + 1, this.length - 1)]]);
      else if (this.gapBefore(i)) found.push([time[i - 1], time[i]]);
    }
    return found;
  }
}
