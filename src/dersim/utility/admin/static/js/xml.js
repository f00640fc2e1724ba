// A document in the lines that one reads: as it is, with a line for each element.
import { h } from "./dom.js";

const PARTS = /<[^>]+>|[^<]+/g;

export function indented(xml) {
  const lines = [];
  let depth = 0;
  let open = null; // the start tag whose text may follow on its line
  for (const part of xml.match(PARTS) || []) {
    if (part.startsWith("</")) {
      depth -= 1;
      if (open === null) lines.push("  ".repeat(depth) + part);
      else lines[lines.length - 1] += part;
      open = null;
    } else if (part.startsWith("<")) {
      lines.push("  ".repeat(depth) + part);
      const whole = part.endsWith("/>") || part.startsWith("<?") || part.startsWith("<!");
      if (!whole) depth += 1;
      open = whole ? null : part;
    } else if (part.trim()) {
      lines[lines.length - 1] += part;
    }
  }
  return lines.join("\n");
}

export const xmlText = (xml) => h("pre", { tabindex: 0 }, indented(xml));
