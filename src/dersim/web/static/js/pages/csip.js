// The CSIP client: where it stands, what it found, what it was told.
import { card, h, instant, note, options, pairs } from "../dom.js";
import { show, showChanged, stamp, table, troubleLine } from "../dom.js";
import { currentDevice, get, getPlain, post } from "../api.js";
import { modes, num, plain, span } from "../format.js";
import { act, poll } from "../shell.js";
import { showResources } from "./resources.js";

const WORD = {
  connected: "good",
  disabled: "muted",
  away: "muted",
  discovering: "warn",
  retrying: "bad",
  failed: "bad",
};

const VERIFIED = { true: "verified", false: "does not match", null: "not checked" };
const SUBSCRIBED = { subscribed: "good", asked: "warn", lost: "warn", refused: "bad", cancelled: "bad" };
const SUBSCRIPTION_COLUMNS = ["Resource", "State", "Since", "Renewed", "Notifications", "Last", "href"];
const CONTROL_COLUMNS = ["Modes", "Status", "Start", "End", "Program", "mRID", "Why", "You"];

export function mount(root) {
  const trouble = troubleLine();
  const page = new CsipPage(root, trouble);
  const stops = [poll(1.5, () => page.load(), trouble), poll(5, () => page.loadTree())];
  stops.push(showResources(page.resources));
  return { unmount: () => stops.forEach((stop) => stop()) };
}

// By counter: what shows its requests in the conversation.
const SHOWN_BY = {
  requests: "",
  errors: "/?status=4xx,5xx,none",
  puts: "/?method=PUT",
  meter_posts: "/?method=POST&cause=meter post",
  responses: "/?cause=Response",
  log_events: "/?cause=log event",
  violations: "/?verdict=violations,invalid",
  notifications: "/?cause=notification",
  notifications_refused: "/?cause=notification&status=4xx,5xx",
};

function counted([name, count]) {
  const words = name.replaceAll("_", " ");
  const where = SHOWN_BY[name];
  if (where === undefined) return [words, count];
  const label = { "aria-label": `${count} ${words} in the conversation` };
  return [words, h("a", { href: encodeURI(`#conversation${where}`), ...label }, count)];
}

class CsipPage {
  constructor(root, trouble) {
    const names = ["state", "tree", "active", "scheduled", "fallback", "programs", "counters", "subscribed"];
    for (const name of names) this[name] = h("div", {});
    for (const name of ["told", "burstTold", "activeTold", "scheduledTold"])
      this[name] = h("div", { "aria-live": "polite" });
    this.resources = h("div", { class: "grid" });
    const rediscover = h(
      "button",
      { class: "main", onclick: () => this.rediscover() },
      "Try now / re-discover",
    );
    this.subscriptions = card("Subscriptions", this.subscribed);
    this.subscriptions.hidden = true;
    const connection = card("Connection", this.state, h("div", { class: "row" }, rediscover), this.told);
    show(
      root,
      trouble,
      h("div", { class: "columns" }, connection, this.burstCard(), card("Counters", this.counters)),
      card("Active controls", this.active, this.activeTold),
      card("Scheduled controls", this.scheduled, this.scheduledTold),
      card("Default control", this.fallback),
      this.subscriptions,
      h("div", { class: "grid" }, card("Programs", this.programs), card("EndDevice tree", this.tree)),
      this.resources,
    );
  }

  burstCard() {
    const field = (label, input) =>
      h("div", { class: "field two" }, h("label", { for: input.id }, label), input);
    const number = (id, limits) => h("input", { type: "number", id, value: 5, ...limits });
    const entries = ["Abnormal", "Normal"].map((text) => [text, text]);
    const status = h("select", { id: "burst-status" }, options(entries, "Abnormal"));
    const count = number("burst-count", { min: 1, max: 1000 });
    const interval = number("burst-interval", { min: 0.1, max: 3600, step: 0.1 });
    const send = () => {
      const body = {
        alarm_status: status.value,
        interval: Number(interval.value),
        count: Number(count.value),
      };
      act(this.burstTold, () => post("/api/dersim/csip/log-event-burst", body), "The burst has begun.");
    };
    return card(
      "LogEvent burst",
      note("CSIP BASIC-027: so many LogEvents, so far apart."),
      field("Alarm status", status),
      field("Events", count),
      field("Seconds between them", interval),
      h("button", { onclick: send }, "Send the burst"),
      this.burstTold,
    );
  }

  rediscover() {
    const words = "Re-discovery has begun: certificates are read again.";
    act(this.told, () => post("/api/dersim/csip/rediscover"), words);
  }

  controlTable(controls, empty, told) {
    const opt = (mRID, way) =>
      act(told, () => post(`/api/dersim/csip/opt-${way}`, { mRID }), `Opt-${way} of ${mRID}.`);
    const rows = controls.map((control) => controlRow(control, opt));
    return table(CONTROL_COLUMNS, rows, { empty });
  }

  async load() {
    const client = await get("/api/dersim/csip-client");
    const { active_controls, scheduled_controls } = client;
    show(this.state, stateOf(client));
    const { counters } = client;
    showChanged(this.counters, counters, () => pairs(Object.entries(counters).map(counted)));
    showChanged(this.active, active_controls, () =>
      this.controlTable(active_controls, "No control is active.", this.activeTold),
    );
    showChanged(this.scheduled, scheduled_controls, () =>
      this.controlTable(scheduled_controls, "No control is scheduled.", this.scheduledTold),
    );
    show(this.fallback, defaultControl(client.default_control));
    show(this.programs, programTable(client.programs));
    const { subscriptions } = client;
    this.subscriptions.hidden = !subscriptions.length;
    showChanged(this.subscribed, subscriptions, () => subscriptionTable(subscriptions));
  }

  async loadTree() {
    const answer = await getPlain("/api/csip/end-devices", { device: currentDevice() });
    const [found] = answer.end_devices;
    showChanged(this.tree, found, () => treeOf(found));
  }
}

function controlRow(control, opt) {
  const { mRID, effective_start, effective_end } = control;
  const buttons = [
    h("button", { onclick: () => opt(mRID, "out") }, "Opt out"),
    h("button", { onclick: () => opt(mRID, "in") }, "Opt in"),
  ];
  return h(
    "tr",
    {},
    h("td", {}, modes(control.modes)),
    h("td", {}, `${control.status} ${control.status_text}`),
    h("td", { class: "t" }, stamp(effective_start)),
    h("td", { class: "t" }, stamp(effective_end)),
    h("td", {}, `${control.program ?? "–"} (primacy ${control.primacy})`),
    h("td", { class: "mono" }, mRID),
    h("td", {}, control.why || ""),
    h("td", {}, h("div", { class: "row" }, buttons)),
  );
}

function stateOf(client) {
  const { registration, last_contact, retry_in_s } = client;
  const verified = VERIFIED[String(registration.verified)];
  const again = retry_in_s !== null ? ` Again in ${span(retry_in_s)}.` : "";
  return [
    h("p", {}, h("span", { class: `pill ${WORD[client.state]}` }, client.state)),
    client.last_error ? h("p", { class: "trouble" }, client.last_error, again) : null,
    client.troubles.map(troubleOf),
    pairs([
      ["Server", client.server ? `${client.server}${client.dcap}` : null],
      ["Edition", client.edition ? `IEEE 2030.5-${client.edition}` : null],
      ["LFDI", h("span", { class: "mono" }, client.lfdi || "–")],
      ["SFDI", client.sfdi],
      ["EndDevice", client.end_device],
      ["Registration PIN", registration.present ? verified : "no Registration"],
      ["Clock offset", offsetOf(client.clock)],
      ["Last contact", instant(last_contact)],
    ]),
  ];
}

function troubleOf({ what, since, error }) {
  return h("p", { class: "trouble" }, `${what} since `, stamp(since), `: ${error}`);
}

function offsetOf({ offset_s, bound_s, samples }) {
  if (offset_s === null) return null;
  return `${num(offset_s, 3)} s, within ${num(bound_s, 3)} s (${samples} samples)`;
}

function defaultControl(control) {
  if (!control) return h("p", { class: "empty" }, "The server has none.");
  return pairs([
    ["Program", control.program ?? "kept from before the restart; the server was not read since"],
    ["mRID", h("span", { class: "mono" }, control.mRID || "–")],
    ["Modes", modes(control.modes) || "none"],
  ]);
}

function programTable(programs) {
  const columns = ["Description", "Primacy", "href"];
  const rows = programs.map(({ description, primacy, href }) =>
    h(
      "tr",
      {},
      h("td", {}, description || "–"),
      h("td", { class: "n" }, primacy),
      h("td", { class: "mono" }, href),
    ),
  );
  return table(columns, rows, { empty: "No program is ours.", numbers: ["Primacy"] });
}

function subscriptionTable(subscriptions) {
  const rows = subscriptions.map((each) =>
    h(
      "tr",
      {},
      h("td", {}, `${each.kind} `, h("span", { class: "mono" }, each.resource)),
      h("td", {}, h("span", { class: `pill ${SUBSCRIBED[each.state]}` }, each.state), stateWords(each)),
      h("td", { class: "t" }, stamp(each.since)),
      h("td", { class: "t" }, stamp(each.renewed)),
      h("td", { class: "n" }, each.notifications),
      h("td", { class: "t" }, stamp(each.last_notification)),
      h("td", { class: "mono" }, each.href || "–"),
    ),
  );
  return table(SUBSCRIPTION_COLUMNS, rows, { numbers: ["Notifications"] });
}

// What the pill does not say.
function stateWords({ state, state_text, why }) {
  return state === "subscribed" ? null : ` ${why || state_text}`;
}

function treeOf(found) {
  const { end_device, der, unreadable } = found;
  const whole = { ...end_device, Registration: found.registration };
  return [
    end_device
      ? branch(`EndDevice ${found.href || ""}`, whole, true)
      : h("p", { class: "empty" }, "Not discovered yet."),
    found.function_set_assignments.map((f, i) => branch(`FunctionSetAssignments ${f.href || i + 1}`, f)),
    der ? branch(`DER ${der.href}`, der) : null,
    found.programs.map((program) => branch(`DERProgram ${program.href}`, program)),
    pairs([
      ["LogEventList", found.log_event_list],
      ["MirrorUsagePointList", found.mirror_usage_point_list],
    ]),
    Object.keys(unreadable).length ? branch("Could not be read", unreadable, true) : null,
  ];
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
  return "dateTime" in v && "value" in v ? [`${v.value} since `, instant(v.dateTime * 1000)] : null;
}

function simple(key, v) {
  if (/^modes(Supported|Enabled)/.test(key)) return `${v.toString(16).toUpperCase().padStart(8, "0")} hex`;
  return /Time$/.test(key) && v > 1e9 ? instant(v * 1000) : typeof v === "number" ? plain(v) : String(v);
}
