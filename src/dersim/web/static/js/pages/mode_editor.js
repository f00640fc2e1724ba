// The editor of one mode: set unedited, nothing changes.
// It begins with what was set over REST, else what is in force, else what acts by default, else a proposal.
import { h, note, say, show } from "../dom.js";
import { clock } from "../format.js";
import { NumberField } from "../fields.js";
import { fieldsOf } from "../mode_fields.js";

// What the editor begins with, and of whom it is.
function shownValue({ rest, in_force, by_default, proposal }) {
  if (rest !== null) return [rest, "what is set from here"];
  if (in_force) return [in_force.value, `what is in force by ${in_force.source}`];
  if (by_default) return [by_default.value, `what acts by ${by_default.source}`];
  return [proposal, proposal === null ? "" : "a proposal for this machine; nothing acts"];
}

// Fields, messages, and that nothing typed is lost when news arrive.
export class ModeEditor {
  constructor(mode, set) {
    this.mode = mode;
    this.set = set;
    this.edits = 0; // since a value was offered
    this.fields = fieldsOf(mode, () => {
      this.edits += 1;
      this.showOrigin();
    });
    this.told = h("div", { "aria-live": "polite" });
    this.origin = note();
    this.duration = new NumberField({
      name: "",
      label: `${mode.mode} ends after, s`,
      words: "Ends after",
      unit: "s",
      low: 0.1,
      high: 4294967,
      optional: true,
      changed: () => {},
    });
    this.withdrawButton = h("button", { onclick: () => this.withdraw() }, "Withdraw");
    this.undoButton = h("button", { onclick: () => this.undo() }, "Undo");
    const curve = mode.kind === "curve";
    const buttons = this.buttons(curve ? "Set the curve" : "Set");
    const hint = curve ? note("Drag the points or type; dashed is what acts now.") : "";
    this.node = h("div", { class: "editor" }, this.fields.nodes, buttons, this.origin, hint);
  }

  buttons(word) {
    const main = h("button", { class: "main", onclick: () => this.submit() }, word);
    const row = h("div", { class: "row" }, main, this.undoButton, this.withdrawButton, this.duration.node);
    return [row, this.told];
  }

  update(mode) {
    this.mode = mode;
    this.withdrawButton.disabled = mode.rest === null;
    this.duration.input.placeholder = mode.rest_until ? `at ${clock(mode.rest_until)}` : "no end";
    if (!this.edits) this.offer(shownValue(mode)[0]);
    this.fields.update(mode);
    this.showOrigin();
  }

  showOrigin() {
    const [, of] = shownValue(this.mode);
    const text = this.edits ? "Edited, not set yet." : of && `Shown: ${of}.`;
    say(this.origin, text);
    this.undoButton.disabled = !this.edits;
  }

  offer(value) {
    const text = JSON.stringify(value);
    if (text === this.offered) return;
    this.offered = text;
    this.fields.write(value);
  }

  undo() {
    this.edits = 0;
    this.offered = undefined;
    show(this.told);
    this.update(this.mode);
  }

  async submit() {
    show(this.told);
    if (!this.fields.check()) return;
    if (!this.duration.check()) {
      this.duration.input.focus();
      return;
    }
    const before = this.edits;
    const done = await this.set(this.told, this.mode.mode, this.fields.read(), this.duration.value);
    if (!done) return;
    this.duration.write(null);
    if (this.edits === before) this.undoQuietly();
  }

  async withdraw() {
    if (await this.set(this.told, this.mode.mode, null, null)) this.undoQuietly();
  }

  // What was set is what is shown from now on.
  undoQuietly() {
    this.edits = 0;
    this.offered = undefined;
    this.update(this.mode);
  }
}
