// The samples of the DER that was looked at last, for all pages: what they hold outlives a restart of the
// simulator, which is then seen as a gap.
import { currentDevice } from "./api.js";
import { keysOf } from "./plot.js";
import { Samples } from "./samples.js";

let held = null;
let of = null;

export function heldSamples() {
  if (of !== currentDevice()) held = new Samples(keysOf());
  of = currentDevice();
  return held;
}
