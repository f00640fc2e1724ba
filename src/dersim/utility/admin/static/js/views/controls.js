// Controls: each with how far it is on its devices; one of them device by device at #controls/MRID; and the
// form of a new one at #controls/new.
import { getPlain } from "../api.js";
import { ControlDetail } from "../control_detail.js";
import { ControlForm } from "../control_form.js";
import { card, h, note, options, show, showChanged, table, troubleLine } from "../dom.js";
import { countPills, incompleteWords, linkTo, orderOf, refusalWords, statusPill, whenOf } from "../lives.js";
import { poll } from "../shell.js";

const SECONDS = 1.5;
const ROWS = 50;
const LATE = { title: "Late", n: true };
const COLUMNS = ["Control", "Program", "In force", "On the server", "On the devices", LATE];
const WORDS =
  "Read: the device has fetched the list that has the control. What comes after is what it says in its " +
  "Responses. Late: devices that, once they had read it, started or ended outside the allowed time.";

export const view = {
  title: "Controls",
  show(root, context) {
    const [which, ...more] = context.parts;
    if (which === "new") return newControl(root, context, more);
    const page = which ? new ControlDetail(root, which) : new Controls(root);
    return poll(SECONDS, () => page.load(), page.trouble);
  },
};

function newControl(root, context, target) {
  const place = h("div", {});
  show(root, h("p", {}, h("a", { href: "#controls" }, "All controls")), place);
  const form = new ControlForm(place, (mrid) => context.open("controls", mrid));
  form.start(target).catch((error) => {
    show(place, h("p", { class: "trouble", role: "alert" }, error.message));
  });
  return () => form.stop();
}

class Controls {
  constructor(root) {
    this.trouble = troubleLine();
    this.body = h("div", {});
    const states = [
      ["all", "all"],
      ["live", "scheduled or active"],
      ["over", "over"],
    ];
    this.state = h("select", { onchange: () => this.load() }, options(states));
    const row = h(
      "div",
      { class: "row spread" },
      h("label", {}, "Show", this.state),
      h("a", { class: "button main", href: "#controls/new" }, "Publish a control"),
    );
    show(root, card("Controls", this.trouble, row, this.body, note(WORDS)));
  }

  async load() {
    const state = this.state.value;
    const lives = await getPlain("/api/utility/control-lives", { state, limit: ROWS });
    if (state !== this.state.value) return;
    const empty = "No control was published yet.";
    showChanged(this.body, lives, () => table(COLUMNS, lives.map(rowOf), { empty }));
  }
}

function rowOf(life) {
  const { control, program, primacy, groups, devices, counts, late } = life;
  return h(
    "tr",
    { "data-mrid": control.mRID },
    h("td", {}, orderOf(life), linkTo(control)),
    h("td", {}, program, h("div", { class: "muted" }, `primacy ${primacy}; ${groups.join("; ")}`)),
    h("td", { class: "t" }, whenOf(control)),
    h("td", {}, statusPill(life)),
    h("td", {}, countPills(counts), ofMany(devices), refusalWords(life), incompleteWords(life)),
    h("td", { class: late ? "n bad" : "n" }, late),
  );
}

const ofMany = (devices) => (devices > 1 ? h("div", { class: "muted" }, `of ${devices}`) : null);
