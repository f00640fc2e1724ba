// The settings dialog of one program: a field for every flag, as the program's own command line declares it.
import { h } from "/static/js/dom.js";
import { ask } from "./api.js";

const USING_DEFAULT = "<< Using Default >>";

function yesNo(field, id) {
  const radio = (word, text) =>
    h("label", {}, h("input", { type: "radio", name: id, value: word, checked: field.value === word }), text);
  const node = h(
    "fieldset",
    { "aria-labelledby": `${id}-name`, "aria-describedby": `${id}-about` },
    radio("yes", "Yes"),
    radio("no", "No"),
  );
  node.read = () => node.querySelector("input:checked").value;
  node.write = (text) => {
    for (const each of node.querySelectorAll("input")) each.checked = each.value === text;
  };
  return node;
}

function control(field, id) {
  const common = { id, "aria-describedby": `${id}-about` };
  if (field.kind === "yes_no" || field.kind === "switch") return yesNo(field, id);
  const node =
    field.kind === "choice"
      ? h(
          "select",
          common,
          field.choices.map((each) => h("option", { value: each, selected: each === field.value }, each)),
        )
      : h("input", {
          ...common,
          type: field.kind === "secret" ? "password" : "text",
          inputmode: field.kind === "number" ? "decimal" : null,
          autocomplete: field.kind === "secret" ? "new-password" : "off",
          spellcheck: "false",
          value: field.value,
          placeholder: field.placeholder,
        });
  node.read = () => node.value;
  node.write = (text) => {
    node.value = text;
  };
  return node;
}

function knob(field) {
  const id = `knob${field.name}`;
  const input = control(field, id);
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const isGroup = input.tagName === "FIELDSET";
  const node = h(
    "div",
    { class: "knob", "data-flag": field.name },
    h(isGroup ? "span" : "label", { class: "name", id: `${id}-name`, for: isGroup ? null : id }, field.label),
    input,
    h("p", { class: "about", id: `${id}-about` }, h("code", {}, field.flags.join(" ")), " ", field.help),
    wrong,
  );
  node.field = field;
  node.input = input;
  node.complain = (text) => {
    wrong.hidden = !text;
    wrong.textContent = text || "";
    text ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  };
  return node;
}

// What stands for certificates that nobody gave depends on whether anything is encrypted.
function followEncryption(form, knobs) {
  const encrypt = knobs.get(form.encrypt);
  if (!encrypt) return;
  const tell = () => {
    const on = encrypt.input.read() === "yes";
    for (const each of knobs.values())
      if (each.field.certificate) each.input.placeholder = on ? USING_DEFAULT : "none";
  };
  encrypt.addEventListener("change", tell);
  tell();
}

function values(knobs, restored) {
  const out = {};
  for (const [name, each] of knobs) {
    const text = each.input.read().trim();
    // A secret is never shown again: left blank, it stays as it is.
    out[name] = each.field.kind === "secret" && !text && each.field.is_set && !restored ? null : text;
  }
  return out;
}

// Groups that speak of CSIP are open, the others a click away; a small form is open altogether.
const titleOf = ({ title }) => (title === "options" ? "General" : title[0].toUpperCase() + title.slice(1));

function groupOf(group, knobs, all) {
  const rows = group.fields.map((field) => {
    const each = knob(field);
    knobs.set(field.name, each);
    return each;
  });
  return h(
    "details",
    { open: all || /CSIP/.test(group.title) ? true : null },
    h("summary", {}, titleOf(group)),
    rows,
  );
}

function footOf(restore, cancel) {
  return h(
    "div",
    { class: "foot" },
    h("button", { type: "button", class: "left", onclick: restore }, "Restore defaults"),
    h("button", { type: "button", onclick: cancel }, "Cancel"),
    h("button", { type: "submit", form: "settings-form", class: "main" }, "OK"),
  );
}

export async function openSettings(program, onSaved) {
  const form = await ask("GET", `programs/${program}/settings`);
  const knobs = new Map();
  const groups = [...form.groups].sort((a, b) => /CSIP/.test(b.title) - /CSIP/.test(a.title));
  const small = groups.flatMap((group) => group.fields).length <= 32;
  const bodies = groups.map((group) => groupOf(group, knobs, small));
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  let restored = false;

  function restore() {
    restored = true;
    for (const each of knobs.values()) {
      each.input.write(each.field.default);
      each.complain("");
    }
    for (const each of knobs.values())
      if (each.field.kind === "secret") each.input.placeholder = USING_DEFAULT;
    trouble.hidden = true;
    dialog.dispatchEvent(new Event("restored"));
  }

  function complain(error) {
    let placed = false;
    for (const each of knobs.values()) each.complain("");
    for (const { pointer, detail } of error.errors || []) {
      const each = knobs.get(pointer.replace("/values/", ""));
      if (!each) continue;
      placed = true;
      each.complain(detail);
      each.closest("details").open = true;
      (each.input.tagName === "FIELDSET" ? each.input.querySelector("input") : each.input).focus();
    }
    trouble.hidden = placed;
    trouble.textContent = error.message;
  }

  async function save(event) {
    event.preventDefault();
    try {
      await ask("PUT", `programs/${program}/settings`, { values: values(knobs, restored) });
      dialog.close();
      onSaved();
    } catch (error) {
      complain(error);
    }
  }

  const dialog = h(
    "dialog",
    { class: "settings", "aria-labelledby": "settings-title", onclose: () => dialog.remove() },
    h("h2", { id: "settings-title" }, `${form.title} settings`),
    h(
      "form",
      { class: "body", id: "settings-form", onsubmit: save, novalidate: true },
      h("p", { class: "note" }, "Every field is a flag of the command line. Blank means its default."),
      bodies,
    ),
    trouble,
    footOf(restore, () => dialog.close()),
  );
  followEncryption(form, knobs);
  dialog.addEventListener("restored", () => knobs.get(form.encrypt)?.dispatchEvent(new Event("change")));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[type=submit]").focus();
  return dialog;
}
