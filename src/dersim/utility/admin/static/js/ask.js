// A question before what cannot be undone.
import { h, show } from "./dom.js";

// Whether the operator says yes. title, words: what will happen; yes: the button that does it.
export function confirmed({ title, words, yes }) {
  return new Promise((resolve) => {
    const box = h("dialog", { "aria-label": title });
    const end = (answer) => {
      box.close();
      box.remove();
      resolve(answer);
    };
    box.addEventListener("cancel", () => end(false));
    show(
      box,
      h("h2", {}, title),
      h("p", {}, words),
      h(
        "div",
        { class: "row" },
        h("button", { class: "main", onclick: () => end(true) }, yes),
        h("button", { onclick: () => end(false) }, "Keep"),
      ),
    );
    document.body.append(box);
    box.showModal();
  });
}
