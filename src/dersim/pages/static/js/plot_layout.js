// Where the parts of a plot are: panels below each other, lanes of events, and one axis of time, in px.
export const AXIS = 50;
const RIGHT = 14;
const TITLE = 17;
const GAP = 7;
const LANE = 25;
const MOST_LANES = 12;
const MORE = 16;
const FOOT = 24;

export function layoutOf(width, traces, bands) {
  const narrow = width < 560;
  const box = { x: AXIS, w: Math.max(40, width - AXIS - RIGHT) };
  const unit = (narrow ? 46 : 54) * (traces.length === 1 ? 2.6 : 1);
  let y = 2;
  const panels = traces.map((trace) => {
    const height = Math.round(unit * (trace.weight ?? 1));
    const panel = { trace, titleY: y + 11, y: y + TITLE, h: height };
    y += TITLE + height + GAP;
    return panel;
  });
  const all = lanesOf(bands);
  const lanes = all.slice(0, MOST_LANES).map((lane) => {
    const at = y;
    y += LANE;
    return { ...lane, y: at };
  });
  const more = { count: all.length - lanes.length, y: y + 11 };
  if (more.count) y += MORE;
  return { box, panels, lanes, more, narrow, width, foot: y, height: y + FOOT };
}

// Events of one name share a lane; trips come first.
function lanesOf(bands) {
  const lanes = new Map();
  for (const band of bands) {
    if (!lanes.has(band.lane)) lanes.set(band.lane, { name: band.lane, kind: band.kind, bands: [] });
    lanes.get(band.lane).bands.push(band);
  }
  const order = (a, b) => (b.kind === "trip") - (a.kind === "trip") || (a.name < b.name ? -1 : 1);
  return [...lanes.values()].sort(order);
}
