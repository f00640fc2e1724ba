// The scenario that is played, and a form that begins another one or ends it.
import { getPlain, remove, postText } from "../api.js";
import { card, h, note, pairs, say, show, showChanged, stamp, troubleLine } from "../dom.js";
import { act, poll } from "../shell.js";

const PATH = "/api/utility/scenario";
const SECONDS = 2;
const WORDS =
  "A scenario file says what this server tells its devices, and when; it takes the place of the one played.";

class Scenario {
  constructor(root) {
    this.trouble = troubleLine();
    this.state = h("p", { id: "scenario-state" });
    this.facts = h("div", {});
    this.told = h("div", {});
    this.file = h("input", { type: "file", accept: ".yaml,.yml,.json", required: true });
    this.end = h("button", { type: "button", disabled: true, onclick: () => this.finish() }, "End");
    const onsubmit = (event) => {
      event.preventDefault();
      this.begin();
    };
    const form = h(
      "form",
      { class: "row", onsubmit },
      h("label", {}, "Scenario file, YAML", this.file),
      h("button", { class: "main" }, "Begin"),
      this.end,
    );
    show(
      root,
      card("Played now", this.trouble, this.state, this.facts),
      card("Begin another", note(WORDS), form, this.told),
    );
  }

  async load() {
    const playing = await getPlain(PATH);
    say(this.state, playing ? words(playing) : "No scenario is played.");
    this.end.disabled = !playing;
    showChanged(this.facts, playing && [playing.began, playing.told], () => (playing ? facts(playing) : ""));
  }

  async begin() {
    const text = await this.file.files[0].text();
    await act(this.told, () => postText(PATH, text, "application/yaml"), "It has begun.");
    await this.load();
  }

  async finish() {
    await act(this.told, () => remove(PATH), "It has ended.");
    await this.load();
  }
}

function words({ name, description, elapsed_s, next_in_s, published, to_publish }) {
  const next = next_in_s === null ? "nothing more happens" : `next in ${Math.ceil(next_in_s)} s`;
  const of = to_publish ? `, ${published} of ${to_publish} controls published` : "";
  const about = description ? `: ${description}` : "";
  return `${name}${about}. Begun ${Math.round(elapsed_s)} s ago${of}, ${next}.`;
}

function facts({ began, told }) {
  const lines = told.map((line) => h("li", {}, line));
  const done = h("ul", { class: "findings" }, lines);
  return pairs([
    ["Begun", stamp(began)],
    ["Carried out", told.length ? done : "nothing yet"],
  ]);
}

export const view = {
  title: "Scenario",
  show(root) {
    const scenario = new Scenario(root);
    return poll(SECONDS, () => scenario.load(), scenario.trouble);
  },
};
