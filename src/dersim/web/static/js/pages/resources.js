// DERCapability, DERSettings, DERStatus, DERAvailability: what the server took and what is true now.
import { card, h, show } from "../dom.js";
import { get } from "../api.js";
import { poll } from "../shell.js";
import { branch } from "./csip.js";

const ALL = [
  ["der-capability", "DERCapability"],
  ["der-settings", "DERSettings"],
  ["der-status", "DERStatus"],
  ["der-availability", "DERAvailability"],
];

export function mount(root) {
  const places = ALL.map(([path, title]) => ({
    path,
    title,
    body: h("div", {}),
    trouble: h("p", { class: "trouble", hidden: true }),
  }));
  show(
    root,
    h(
      "div",
      { class: "grid" },
      places.map((p) => card(p.title, p.trouble, p.body)),
    ),
  );
  const stops = places.map((p) =>
    poll(
      3,
      async () => {
        const found = await get(`/api/csip/${p.path}`);
        const text = JSON.stringify(found);
        if (p.text === text) return;
        p.text = text;
        show(
          p.body,
          h(
            "p",
            { class: "note" },
            found.href ? `PUT to ${found.href}` : "The server has no place for it yet.",
          ),
          found.current ? branch("Current", found.current, true) : null,
          found.sent
            ? branch("As the server last took it", found.sent)
            : h("p", { class: "empty" }, "Not sent yet."),
        );
      },
      p.trouble,
    ),
  );
  return {
    unmount() {
      stops.forEach((stop) => stop());
    },
  };
}
