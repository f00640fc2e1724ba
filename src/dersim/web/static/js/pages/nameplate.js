// Nameplate: ratings beside the settings that act.
import { card, h, pairs, show, table } from "../dom.js";
import { get } from "../api.js";
import { round } from "../format.js";
import { poll } from "../shell.js";

const UNIT = [
  [/VarNeg$|Var$/, "var"],
  [/Wh$/, "Wh"],
  [/VA$/, "VA"],
  [/W$/, "W"],
  [/setGradW|setSoftGradW/, "%/s"],
  [/ES(Low|High)Volt$/, "%"],
  [/ES(Low|High)Freq$/, "Hz"],
  [/ES/, "s"],
  [/PF/, ""],
  [/A$/, "A"],
  [/V(Nom|Ref|RefOfs)?$/, "V"],
];
const unit = (name) => (/GradW/.test(name) ? "%/s" : (UNIT.find(([rule]) => rule.test(name)) || ["", ""])[1]);

export function mount(root) {
  const place = h("div", {}),
    trouble = h("p", { class: "trouble", hidden: true });
  show(root, trouble, place);
  const stop = poll(
    5,
    async () => {
      const p = await get("/api/dersim/nameplate");
      const rows = (all) =>
        Object.entries(all).map(([name, v]) =>
          h("tr", {}, h("td", {}, name), h("td", { class: "n" }, round(v)), h("td", {}, unit(name))),
        );
      const heads = [{ title: "Name" }, { title: "Value", n: 1 }, { title: "Unit" }];
      show(
        place,
        h(
          "div",
          { class: "grid" },
          card(
            "Machine",
            pairs([
              ["Name", p.name],
              ["Type", p.device_type],
              ["Phases", p.phases],
              ["Manufacturer", p.identity.manufacturer],
              ["Model", p.identity.model],
              ["Serial number", p.identity.serial_number],
              ["Version", p.identity.version],
              ["Options", p.identity.options],
              ["1547 category", `${p.normal_category}, ${p.abnormal_category}`],
            ]),
            h("h3", {}, "Modes it obeys"),
            h("p", { class: "mono" }, p.modes_supported.join(" ")),
          ),
          card("Ratings (DERCapability)", table(heads, rows(p.ratings))),
          card("Settings that act (DERSettings)", table(heads, rows(p.settings))),
        ),
      );
    },
    trouble,
  );
  return { unmount: stop };
}
