// A piece of a trace's line for its legend: colour and dashes.
import { s } from "./dom.js";

export function lineSample({ color, dash }) {
  const look = { stroke: `var(${color})`, "stroke-width": 2.5, "stroke-dasharray": dash?.join(" ") };
  const size = { width: 30, height: 10, viewBox: "0 0 30 10", "aria-hidden": "true" };
  return s("svg", size, s("line", { x1: 0, x2: 30, y1: 5, y2: 5, ...look }));
}
