// A document line by line: numbers, what changed since the last one, and what is wrong beside its line.
import { h } from "../dom.js";

// The largest comparison of lines, as the product of both counts; beyond it all in between counts as changed.
const MOST = 1_000_000;

// The lines of `text` and those of `old` that are gone: {sign, text, number}, number null where gone.
export function compared(old, text) {
  const a = old.split("\n"),
    b = text.split("\n");
  let head = 0,
    tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  const most = Math.min(a.length, b.length) - head;
  while (tail < most && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = changes(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const signed = [
    ...b.slice(0, head).map((line) => [" ", line]),
    ...middle,
    ...b.slice(b.length - tail).map((line) => [" ", line]),
  ];
  let number = 0;
  return signed.map(([sign, line]) => ({ sign, text: line, number: sign === "-" ? null : ++number }));
}

// The longest common subsequence of lines, as [sign, line].
function changes(a, b) {
  if (a.length * b.length > MOST) return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
  const size = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      size[i][j] = a[i] === b[j] ? size[i + 1][j + 1] + 1 : Math.max(size[i + 1][j], size[i][j + 1]);
  const out = [];
  let i = 0,
    j = 0;
  while (i < a.length || j < b.length) {
    const same = i < a.length && j < b.length && a[i] === b[j];
    const gone = !same && i < a.length && (j >= b.length || size[i + 1][j] >= size[i][j + 1]);
    if (same) out.push([" ", b[j]]);
    else out.push(gone ? ["-", a[i]] : ["+", b[j]]);
    if (same || gone) i++;
    if (same || !gone) j++;
  }
  return out;
}

const CLASSES = { "+": "add", "-": "del" };

// findings: {line, message}; each is shown below its line, which is marked.
export function documentOf(lines, findings) {
  const wrong = new Map();
  for (const { line, message } of findings) wrong.set(line, (wrong.get(line) || new Set()).add(message));
  const width = String(lines.length).length;
  const shown = lines.map(({ sign, text, number }) => {
    const messages = number === null ? null : wrong.get(number);
    const mark = messages ? "\u2717" : " ";
    const at = h("span", { class: "no" }, `${String(number ?? "").padStart(width)} ${mark}${sign} `);
    const kind = [messages ? "wrong" : "", CLASSES[sign] || ""].join(" ").trim();
    const line = h("span", { class: kind || null, "data-line": number }, at, `${text}\n`);
    return messages ? [line, distinct(messages).map((why) => explained(why, text, width))] : line;
  });
  const style = { "--gutter": `${width + 4}ch` };
  return h("pre", { class: "document", tabindex: 0, style }, shown);
}

// The reader often says what the schema has said, and more.
const distinct = (messages) =>
  [...messages].filter((one) => ![...messages].some((each) => each !== one && each.startsWith(one)));

// Below the line and as far to the right as it begins.
function explained(why, text, width) {
  const indent = text.length - text.trimStart().length;
  return h("span", { class: "why" }, `${" ".repeat(width + 4 + indent)}\u2191 ${why}\n`);
}
