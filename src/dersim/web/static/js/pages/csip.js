// The CSIP client: where it stands, what it found, what it was told.
import { card, h, pairs, show, showChanged, table } from "../dom.js";
import { currentDevice, get, getPlain, post } from "../api.js";
import { clock, modes, num, plain, span, utc } from "../format.js";
import { act, poll } from "../shell.js";

const WORD = { connected: "good", disabled: "muted", discovering: "warn", retrying: "bad", failed: "bad" };

export function mount(root) {
  const state = h("div", {}),
    tree = h("div", {}),
    controls = h("div", {}),
    scheduled = h("div", {}),
    fallback = h("div", {}),
    programs = h("div", {}),
    counters = h("div", {});
  const told = h("div", { "aria-live": "polite" }),
    trouble = h("p", { class: "trouble", hidden: true });
  const count = h("input", { type: "number", min: 1, max: 1000, value: 5, id: "burst-count" }),
    interval = h("input", { type: "number", min: 0.1, max: 3600, step: 0.1, value: 5, id: "burst-interval" });
  const status = h(
    "select",
    { id: "burst-status" },
    ["Abnormal", "Normal"].map((t) => h("option", {}, t)),
  );
  show(
    root,
    trouble,
    h(
      "div",
      { class: "columns" },
      card(
        "Connection",
        state,
        h(
          "div",
          { class: "row" },
          h(
            "button",
            {
              class: "main",
              onclick: () =>
                act(
                  told,
                  () => post("/api/dersim/csip/rediscover"),
                  "Re-discovery has begun: certificates are read again.",
                ),
            },
            "Try now / re-discover",
          ),
        ),
        told,
      ),
      card(
        "LogEvent burst",
        h("p", { class: "note" }, "CSIP BASIC-027: so many LogEvents, so far apart."),
        h("div", { class: "field two" }, h("label", { for: "burst-status" }, "Alarm status"), status),
        h("div", { class: "field two" }, h("label", { for: "burst-count" }, "Events"), count),
        h(
          "div",
          { class: "field two" },
          h("label", { for: "burst-interval" }, "Seconds between them"),
          interval,
        ),
        h(
          "button",
          {
            onclick: () =>
              act(
                told,
                () =>
                  post("/api/dersim/csip/log-event-burst", {
                    alarm_status: status.value,
                    interval: Number(interval.value),
                    count: Number(count.value),
                  }),
                "The burst has begun.",
              ),
          },
          "Send the burst",
        ),
      ),
      card("Counters", counters),
    ),
    card("Active controls", controls),
    card("Scheduled controls", scheduled),
    card("Default control", fallback),
    h("div", { class: "grid" }, card("Programs", programs), card("EndDevice tree", tree)),
  );

  const opt = (mRID, way) =>
    act(told, () => post(`/api/dersim/csip/opt-${way}`, { mRID }), `Opt-${way} of ${mRID}.`);
  function controlRows(list) {
    return list.map((c) =>
      h(
        "tr",
        {},
        h("td", {}, modes(c.modes)),
        h("td", {}, `${c.status} ${c.status_text}`),
        h("td", { class: "t", title: utc(c.effective_start) }, clock(c.effective_start)),
        h("td", { class: "t", title: utc(c.effective_end) }, clock(c.effective_end)),
        h("td", {}, `${c.program ?? "–"} (primacy ${c.primacy})`),
        h("td", { class: "mono" }, c.mRID),
        h("td", {}, c.why || ""),
        h(
          "td",
          {},
          h(
            "div",
            { class: "row" },
            h("button", { onclick: () => opt(c.mRID, "out") }, "Opt out"),
            h("button", { onclick: () => opt(c.mRID, "in") }, "Opt in"),
          ),
        ),
      ),
    );
  }
  const heads = ["Modes", "Status", "Start", "End", "Program", "mRID", "Why", "You"].map((title) => ({
    title,
  }));

  async function load() {
    const c = await get("/api/dersim/csip-client");
    const verified = { true: "verified", false: "does not match", null: "not checked" }[
      String(c.registration.verified)
    ];
    show(
      state,
      h("p", {}, h("span", { class: `pill ${WORD[c.state]}` }, c.state)),
      c.last_error
        ? h(
            "p",
            { class: "trouble" },
            c.last_error,
            c.retry_in_s !== null ? ` Again in ${span(c.retry_in_s)}.` : "",
          )
        : null,
      pairs([
        ["Server", c.server ? `${c.server}${c.dcap}` : null],
        ["Edition", c.edition ? `IEEE 2030.5-${c.edition}` : null],
        ["LFDI", h("span", { class: "mono" }, c.lfdi || "–")],
        ["SFDI", c.sfdi],
        ["EndDevice", c.end_device],
        ["Registration PIN", c.registration.present ? verified : "no Registration"],
        [
          "Clock offset",
          c.clock.offset_s === null
            ? null
            : `${num(c.clock.offset_s, 3)} s, within ${num(c.clock.bound_s, 3)} s (${c.clock.samples} samples)`,
        ],
        ["Last contact", c.last_contact ? `${clock(c.last_contact)} (${utc(c.last_contact)})` : null],
      ]),
    );
    show(counters, pairs(Object.entries(c.counters).map(([k, v]) => [k.replaceAll("_", " "), v])));
    showChanged(controls, c.active_controls, () => [
      table(heads, controlRows(c.active_controls), { empty: "No control is active." }),
    ]);
    showChanged(scheduled, c.scheduled_controls, () => [
      table(heads, controlRows(c.scheduled_controls), { empty: "No control is scheduled." }),
    ]);
    show(
      fallback,
      c.default_control
        ? pairs([
            ["Program", c.default_control.program],
            ["mRID", h("span", { class: "mono" }, c.default_control.mRID || "–")],
            ["Modes", modes(c.default_control.modes) || "none"],
          ])
        : h("p", { class: "empty" }, "The server has none."),
    );
    show(
      programs,
      table(
        [{ title: "Description" }, { title: "Primacy", n: 1 }, { title: "href" }],
        c.programs.map((p) =>
          h(
            "tr",
            {},
            h("td", {}, p.description || "–"),
            h("td", { class: "n" }, p.primacy),
            h("td", { class: "mono" }, p.href),
          ),
        ),
        { empty: "No program is ours." },
      ),
    );
  }
  async function loadTree() {
    const found = (await getPlain("/api/csip/end-devices", { device: currentDevice() })).end_devices[0];
    const text = JSON.stringify(found);
    if (text === tree.dataset.text) return;
    tree.dataset.text = text;
    show(
      tree,
      found.end_device
        ? branch(
            `EndDevice ${found.href || ""}`,
            { ...found.end_device, Registration: found.registration },
            true,
          )
        : h("p", { class: "empty" }, "Not discovered yet."),
      found.function_set_assignments.map((f, i) => branch(`FunctionSetAssignments ${f.href || i + 1}`, f)),
      found.der ? branch(`DER ${found.der.href}`, found.der) : null,
      found.programs.map((p) => branch(`DERProgram ${p.href}`, p)),
      pairs([
        ["LogEventList", found.log_event_list],
        ["MirrorUsagePointList", found.mirror_usage_point_list],
      ]),
      Object.keys(found.unreadable).length ? branch("Could not be read", found.unreadable, true) : null,
    );
  }
  const stops = [poll(1.5, load, trouble), poll(5, loadTree)];
  return {
    unmount() {
      stops.forEach((stop) => stop());
    },
  };
}

// Any JSON object as a tree that opens.
export function branch(title, object, open = false) {
  const flat = [],
    deep = [];
  for (const [key, v] of Object.entries(object)) {
    if (Array.isArray(v))
      v.forEach((item, i) =>
        typeof item === "object"
          ? deep.push(branch(`${key} ${i + 1}`, item))
          : flat.push([key, String(item)]),
      );
    else if (v && typeof v === "object") {
      const inner = Object.entries(v);
      const told = scaled(v);
      if (told !== null) flat.push([key, told]);
      else if (inner.every(([, x]) => x === null || typeof x !== "object") && inner.length <= 3)
        flat.push([key, inner.map(([k, x]) => `${k} ${x}`).join(", ")]);
      else deep.push(branch(key, v));
    } else flat.push([key, v === null ? null : simple(key, v)]);
  }
  return h("details", { open }, h("summary", {}, title), pairs(flat), deep);
}

// {multiplier, value} is a number, {dateTime, value} a value since a time.
function scaled(v) {
  const number = v.value ?? v.displacement;
  if (typeof number === "number" && "multiplier" in v) return plain(number * 10 ** v.multiplier);
  return "dateTime" in v && "value" in v ? `${v.value} since ${utc(v.dateTime * 1000)}` : null;
}

function simple(key, v) {
  if (/^modes(Supported|Enabled)/.test(key)) return `${v.toString(16).toUpperCase().padStart(8, "0")} hex`;
  return /Time$/.test(key) && v > 1e9 ? utc(v * 1000) : typeof v === "number" ? plain(v) : String(v);
}
