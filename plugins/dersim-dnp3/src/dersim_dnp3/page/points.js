// Points as they are shown, and which of them are wanted.
import { plain } from "/static/js/format.js";

export function shownValue(point) {
  if (point.value === null) return "offline";
  if (typeof point.value === "boolean") return point.value ? "1" : "0";
  return plain(Number(point.value.toPrecision(8)));
}

export function wanted(points, kind, text) {
  const word = text.trim().toLowerCase();
  return points.filter((each) => {
    const right = kind === "all" || (kind === "commanded" ? each.command : each.point.startsWith(kind));
    return right && [each.point, each.name, each.function].some((part) => part.toLowerCase().includes(word));
  });
}
