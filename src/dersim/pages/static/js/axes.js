// Axes with round numbers: steps, decimals, the range of values, and the instants to label.
import { num } from "./format.js";

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400].map(
  (seconds) => seconds * 1000,
);

// A good step for about `count` divisions of a span.
export function niceStep(width, count) {
  const raw = width / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999);
}

// Digits behind the point that the steps of an axis need.
export function decimalsOf(step) {
  const power = Math.floor(Math.log10(step) + 1e-9);
  const quarter = Math.abs(step / 10 ** power - 2.5) < 1e-6;
  return Math.max(0, -power + (quarter ? 1 : 0));
}

// The values to label between two others, as [number, text] pairs.
export function ticks([low, high], count) {
  const step = niceStep(high - low, count);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    out.push([k * step, num(k * step, decimalsOf(step))]);
  return out;
}

// What an axis shows of the values found, ending at labelled numbers of which there are at most `most`.
// zero: always with 0; least: its least height; fixed: always this.
export function axisRange(found, { fixed, zero, least = 1 }, most) {
  if (fixed) return fixed;
  let [low, high] = found || [0, 0];
  if (zero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  const missing = Math.max(0, least - (high - low));
  if (zero && low === 0) high += missing;
  else if (zero && high === 0) low -= missing;
  else [low, high] = [low - missing / 2, high + missing / 2];
  for (let count = most; count > 0; count--) {
    const step = niceStep(high - low, count);
    const [first, last] = [Math.floor(low / step + 1e-6), Math.ceil(high / step - 1e-6)];
    if (last - first < most || count === 1) return [first * step, last * step];
  }
}

// The instants to label between two times, at most `most` of them, whole in the reader's zone.
export function timeTicks(start, end, most) {
  const wide = (end - start) / Math.max(1, most);
  const step = TIME_STEPS.find((each) => each >= wide) || TIME_STEPS[TIME_STEPS.length - 1];
  const zone = new Date(end).getTimezoneOffset() * 60000;
  const out = [];
  for (let t = Math.ceil((start - zone) / step) * step + zone; t <= end; t += step) out.push(t);
  return out;
}

const ZONE = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

// The reader's zone, as short as the browser has it: UTC, GMT+1, PST.
export const zoneName = (time) => ZONE.formatToParts(time).find(({ type }) => type === "timeZoneName").value;
