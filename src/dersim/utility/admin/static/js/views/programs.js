// Programs: the tree of groups with the programs of each; forms to add, change and remove both, and the
// default control of a program.
import { getPlain, postPlain, put, remove } from "../api.js";
import { confirmed } from "../ask.js";
import { card, h, note, options, show, showChanged, troubleLine } from "../dom.js";
import { NumberField } from "../fields.js";
import { ModeList } from "../mode_list.js";
import { act, poll } from "../shell.js";

const BASE = "/api/utility";
const SECONDS = 2;
const SYSTEM = 1;
const FEW = 10;
const WORDS =
  "A device in a group is in all groups above it, and sees the programs of all of them. Of two programs " +
  "that order the same, that with the lower primacy has priority.";
const nothing = () => {};

export const view = {
  title: "Programs",
  show(root) {
    const programs = new Programs(root);
    return poll(SECONDS, () => programs.load(), programs.trouble);
  },
};

class Programs {
  constructor(root) {
    this.trouble = troubleLine();
    this.told = h("div", {});
    this.tree = h("div", { class: "tree" });
    this.form = h("div", {});
    this.said = h("div", {});
    this.facts = "";
    const words = h("div", {}, note(WORDS));
    show(root, card("Programs", this.trouble, words, this.told, this.tree), this.form);
  }

  async load() {
    const [groups, programs] = await Promise.all([
      getPlain(`${BASE}/groups`),
      getPlain(`${BASE}/programs`, { controls: "no" }),
    ]);
    this.groups = groups;
    this.programs = programs;
    showChanged(this.tree, [groups, programs], () => this.draw());
  }

  draw() {
    this.below = new Map();
    for (const group of this.groups) collect(this.below, group.parent, group);
    this.programsOf = new Map();
    for (const each of this.programs) for (const id of each.groups) collect(this.programsOf, id, each);
    const tops = this.below.get(null) || [];
    const [inTree, beside] = [tops.filter(({ id }) => id === SYSTEM), tops.filter(({ id }) => id !== SYSTEM)];
    const nobody = this.programs.filter(({ groups }) => !groups.length);
    const rest = nobody.length ? [h("h3", {}, "For nobody"), this.listOf(nobody)] : null;
    return [inTree.map((group) => this.branch(group)), this.besideTree(beside), rest];
  }

  // Groups outside the topology: there may be one for each device.
  besideTree(groups) {
    if (!groups.length) return null;
    const place = h("div", {});
    const open = this.besideOpen ?? groups.length <= FEW;
    const fill = () => {
      if (!place.hasChildNodes()) show(place, groups.map((group) => this.branch(group)));
    };
    const ontoggle = ({ target }) => {
      this.besideOpen = target.open;
      if (target.open) fill();
    };
    if (open) fill();
    const words = `Outside the topology: ${groups.length} ${groups.length === 1 ? "group" : "groups"}`;
    return h("details", { open, ontoggle }, h("summary", {}, words), place);
  }

  branch(group) {
    const own = this.programsOf.get(group.id) || [];
    const below = this.below.get(group.id) || [];
    const add = () => this.editGroup(null, group);
    const count = `${group.devices} ${group.devices === 1 ? "device" : "devices"}`;
    const head = h(
      "div",
      { class: "row tools" },
      h("strong", {}, group.name),
      h("span", { class: "muted" }, `${levelOf(group)}${count}`),
      button("Add a program", `to ${group.name}`, () => this.editProgram(null, group)),
      group.level === "non_topology" ? null : button("Add a group", `below ${group.name}`, add),
      button("Change", `group ${group.name}`, () => this.editGroup(group)),
      group.id === SYSTEM ? null : button("Remove", `group ${group.name}`, () => this.removeGroup(group)),
    );
    const children = below.map((each) => this.branch(each));
    return h("section", { class: "branch", "data-group": group.id }, head, this.listOf(own), children);
  }

  listOf(programs) {
    return h("ul", { class: "programs" }, programs.map((each) => h("li", {}, this.program(each))));
  }

  program(program) {
    const { id, description, primacy, default_control: standing } = program;
    const words = standing ? Object.keys(standing.modes).join(", ") : "none";
    const name = description || `program ${id}`;
    const path = `${BASE}/programs/${id}/default-control`;
    const forget = () => this.change(() => remove(path), "The default is removed.");
    return h(
      "div",
      { "data-program": id },
      h("div", { class: "row" }, h("strong", {}, name), h("span", { class: "pill" }, `primacy ${primacy}`)),
      note(`Default control: ${words}`),
      h(
        "div",
        { class: "row tools" },
        h("a", { class: "button", href: `#controls/new/program/${id}` }, "Publish a control"),
        button("Set the default", `of ${name}`, () => this.editDefault(program)),
        standing ? button("Remove the default", `of ${name}`, forget) : null,
        button("Change", `program ${name}`, () => this.editProgram(program)),
        button("Remove", `program ${name}`, () => this.removeProgram(program)),
      ),
    );
  }

  async change(work, words) {
    await act(this.told, work, words);
    await this.load();
  }

  // What a form asks for: what is refused is said in it, what is done where all can see it.
  async save(work, words) {
    const done = await act(this.said, work, words);
    if (!done) return;
    show(this.form);
    show(this.told, h("p", { class: "done", role: "status" }, words));
    await this.load();
  }

  open(title, fields, save) {
    show(this.told);
    const onsubmit = (event) => {
      event.preventDefault();
      save();
    };
    const buttons = h(
      "div",
      { class: "row" },
      h("button", { class: "main" }, "Save"),
      h("button", { type: "button", onclick: () => show(this.form) }, "Close"),
    );
    show(this.said);
    show(this.form, card(title, h("form", { onsubmit, novalidate: true }, fields, buttons, this.said)));
    this.form.scrollIntoView({ block: "nearest" });
    this.form.querySelector("input, select")?.focus();
  }

  editProgram(program, group = null) {
    const name = textField("Description, as devices see it", program?.description ?? "", 32);
    const words = { name: "primacy", label: "Primacy", words: "Primacy" };
    const primacy = new NumberField({ ...words, low: 0, high: 255, changed: nothing });
    primacy.write(program?.primacy ?? 10);
    const inGroups = program ? program.groups : [group.id];
    const boxes = this.groups.map((each) => {
      const input = h("input", { type: "checkbox", checked: inGroups.includes(each.id) });
      return [each.id, input, h("label", {}, input, each.name)];
    });
    const fields = [
      h("div", { class: "parts" }, name.node, primacy.node),
      h("h3", {}, "For the groups"),
      h("div", { class: "parts" }, boxes.map(([, , label]) => label)),
    ];
    this.open(program ? "Change the program" : "Add a program", fields, () => {
      if (!primacy.check()) return;
      const groups = boxes.filter(([, input]) => input.checked).map(([id]) => id);
      const body = { description: name.input.value.trim(), primacy: primacy.value, groups };
      const path = `${BASE}/programs`;
      if (program) this.save(() => put(`${path}/${program.id}`, body), "The program is changed.");
      else this.save(() => postPlain(path, body), "The program is added.");
    });
  }

  async editDefault(program) {
    const { modes: offered } = await getPlain(`${BASE}/control-options`);
    const modes = new ModeList(offered, { defaults: true });
    modes.write(program.default_control?.modes ?? {});
    const about = note("In force while no control orders the same. It replaces the default before.");
    const title = `Default control of ${program.description || `program ${program.id}`}`;
    this.open(title, [about, modes.node], () => {
      if (!modes.check()) return;
      const path = `${BASE}/programs/${program.id}/default-control`;
      this.save(() => put(path, { modes: modes.read() }), "The default is set.");
    });
  }

  editGroup(group, parent = null) {
    const name = textField("Name", group?.name ?? "", 32);
    const levels = ["substation", "feeder", "segment", "transformer", "service_point", "non_topology"];
    const entries = levels.map((each) => [each, each.replaceAll("_", " ")]);
    const level = h("select", {}, options(entries, "feeder"));
    const patterns = textField("LFDIs by pattern, such as 3E4F*", group?.patterns.join(" ") ?? "", 400);
    const fields = h(
      "div",
      { class: "parts" },
      name.node,
      group ? null : h("label", {}, "Level", level),
      patterns.node,
    );
    const about = note("Move single devices from their own view.");
    this.open(group ? "Change the group" : `Add a group below ${parent.name}`, [fields, about], () => {
      const shapes = patterns.input.value.split(/[\s,]+/).filter(Boolean);
      const body = { name: name.input.value.trim(), patterns: shapes };
      if (group) this.save(() => put(`${BASE}/groups/${group.id}`, body), "The group is changed.");
      else {
        const above = level.value === "non_topology" ? {} : { parent: parent.id };
        const whole = { ...body, level: level.value, ...above };
        this.save(() => postPlain(`${BASE}/groups`, whole), "The group is added.");
      }
    });
  }

  async removeGroup({ id, name }) {
    const words = "Its devices stay; programs for it alone are for nobody then.";
    const sure = await confirmed({ title: `Remove the group ${name}?`, words, yes: "Remove" });
    if (sure) await this.change(() => remove(`${BASE}/groups/${id}`), "The group is removed.");
  }

  async removeProgram({ id, description }) {
    const words = "Its controls and its default are removed with it.";
    const sure = await confirmed({ title: `Remove the program ${description}?`, words, yes: "Remove" });
    if (sure) await this.change(() => remove(`${BASE}/programs/${id}`), "The program is removed.");
  }
}

// Adds to the list under a key.
function collect(lists, key, each) {
  if (lists.has(key)) lists.get(key).push(each);
  else lists.set(key, [each]);
}

// "feeder, "; nothing where the place in the page says it.
const levelOf = ({ level }) => (level === "non_topology" ? "" : `${level.replaceAll("_", " ")}, `);

// label: what it does to which, for a screen reader.
const button = (words, label, onclick) =>
  h("button", { type: "button", onclick, "aria-label": `${words}: ${label}` }, words);

function textField(words, value, maxlength) {
  const input = h("input", { type: "text", value, maxlength, size: 24 });
  return { input, node: h("label", {}, words, input) };
}
