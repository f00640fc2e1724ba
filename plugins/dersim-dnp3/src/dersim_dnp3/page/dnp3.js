// DNP3: the points of a DER with their last commands, its masters, and the conversation, decoded.
import { get } from "/static/js/api.js";
import { card, h, note, options, show, showChanged, stamp, table, troubleLine } from "/static/js/dom.js";
import { poll } from "/static/js/shell.js";
import { shownValue, wanted } from "/panels/dnp3/points.js";

const SECONDS = 2;
const LINES = 100;
const KINDS = ["all", "AI", "AO", "BI", "BO", "CTR", "commanded"];

export function mount(root) {
  const page = new Page(root);
  return { unmount: poll(SECONDS, () => page.load(), page.trouble) };
}

class Page {
  constructor(root) {
    this.trouble = troubleLine();
    this.masters = h("div", {});
    this.points = h("div", {});
    this.conversation = h("div", {});
    this.open = new Set();
    const again = () => this.load();
    this.kind = h(
      "select",
      { "aria-label": "Kind of point", onchange: again },
      options(KINDS.map((each) => [each, each])),
    );
    const what = "name or function";
    this.text = h("input", { type: "search", "aria-label": "Name or function", placeholder: what });
    this.text.addEventListener("input", again);
    show(
      root,
      this.trouble,
      card("Masters", this.masters),
      card("Points", h("div", { class: "row" }, this.kind, this.text), this.points),
      card(
        "Conversation",
        note("The newest fragments. A line opens on its objects and octets."),
        this.conversation,
      ),
    );
  }

  async load() {
    const masters = await get("/api/dnp3/masters");
    showChanged(this.masters, masters, () => masterTable(masters));
    const points = wanted(await get("/api/dnp3/points"), this.kind.value, this.text.value);
    showChanged(this.points, points, () => pointTable(points));
    const lines = await get("/api/dnp3/conversation", { limit: LINES });
    showChanged(this.conversation, lines, () => lineTable(lines, this.open));
  }
}

const number = (value) => ({ number: value });

// A row of a table; a cell that `number` made is above the others' right ends.
const row = (...cells) =>
  h(
    "tr",
    {},
    cells.map((each) =>
      each?.number === undefined ? h("td", {}, each) : h("td", { class: "n" }, String(each.number)),
    ),
  );

function masterTable({ masters, dropped }) {
  const rows = masters.map((each) =>
    row(each.master, each.connected ? "connected" : "away", number(each.events)),
  );
  const told = ([reason, times]) => `${reason.replaceAll("_", " ")}: ${times}`;
  const reasons = Object.entries(dropped).map(told);
  return [
    table(["Master", "State", "Events that wait"], rows, {
      empty: "No master has spoken yet.",
      numbers: ["Events that wait"],
    }),
    reasons.length ? note(`Dropped: ${reasons.join(", ")}.`) : null,
  ];
}

function pointTable(points) {
  const rows = points.map((each) =>
    row(
      each.point,
      each.name,
      number(shownValue(each)),
      each.unit,
      number(each.event_class || ""),
      commandOf(each.command),
    ),
  );
  return table(["Point", "Name", "Value", "Unit", "Class", "Last command"], rows, {
    empty: "No point is called so.",
    numbers: ["Value", "Class"],
  });
}

function commandOf(command) {
  if (!command) return null;
  const why = command.reason ? `: ${command.reason}` : "";
  return [stamp(command.time), ` ${command.value} by master ${command.master}, ${command.status}${why}`];
}

function lineTable(lines, open) {
  const rows = [...lines].reverse().map((each) => {
    const from = each.direction === "in" ? `master ${each.master}` : `DER ${each.device}`;
    return row(stamp(each.time, true), from, headOf(each), each.indications.join(", "), details(each, open));
  });
  return table(["Time", "From", "Function", "Indications", "Objects"], rows, {
    empty: "Nothing was said yet.",
  });
}

function headOf(line) {
  const marks = [line.unsolicited ? "unsolicited" : "", line.confirm ? "asks for a confirmation" : ""];
  const sequence = line.sequence === null ? "" : `#${line.sequence}`;
  return [line.function, sequence, ...marks].filter(Boolean).join(" ");
}

// Which lines are open outlives the next look.
function details(line, open) {
  const key = `${line.id} ${line.function}`;
  const node = h(
    "details",
    { open: open.has(key) },
    h("summary", {}, summaryOf(line.objects)),
    h("ul", {}, line.objects.map((each) => h("li", {}, each))),
    h("code", {}, line.octets),
  );
  node.addEventListener("toggle", () => (node.open ? open.add(key) : open.delete(key)));
  return node;
}

function summaryOf(objects) {
  if (!objects.length) return "none";
  const more = objects.length > 2 ? ` ... (${objects.length})` : "";
  return objects.slice(0, 2).join(", ") + more;
}
