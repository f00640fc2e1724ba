// The API, browsable: made from /openapi.json, with nothing from elsewhere.
import { card, h, show } from "../dom.js";
import { getPlain } from "../api.js";

export function mount(root) {
  const place = h("div", {});
  show(
    root,
    card(
      "REST API",
      h(
        "p",
        {},
        "OpenAPI 3.1: ",
        h("a", { href: "/openapi.json" }, "/openapi.json"),
        ". Metrics for Prometheus: ",
        h("a", { href: "/metrics" }, "/metrics"),
        ". Telemetry: WebSocket ",
        h("code", {}, "/api/dersim/telemetry/ws?device=1"),
        ": the overview document at once and after every tick.",
      ),
      place,
    ),
  );
  getPlain("/openapi.json")
    .then((doc) => show(place, sections(doc)))
    .catch((error) => show(place, h("p", { class: "trouble" }, error.message)));
}

function sections(doc) {
  const groups = new Map();
  for (const [path, methods] of Object.entries(doc.paths))
    for (const [method, op] of Object.entries(methods)) {
      const tag = op.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([method.toUpperCase(), path, op]);
    }
  return [...groups].map(([tag, list]) => [
    h("h3", {}, tag),
    list.map(([method, path, op]) => operation(doc, method, path, op)),
  ]);
}

function operation(doc, method, path, op) {
  const fields = op.parameters.map((p) => [
    p.name,
    h("input", { "aria-label": p.name, placeholder: p.schema.default ?? "", title: p.description }),
  ]);
  const body = op.requestBody
    ? h("textarea", { rows: 3, "aria-label": "body", style: { width: "100%" }, class: "mono" }, "{}")
    : null;
  const answer = h("pre", { hidden: true });
  async function run() {
    const query = new URLSearchParams(
      fields.filter(([, input]) => input.value).map(([name, input]) => [name, input.value]),
    ).toString();
    const url = query ? `${path}?${query}` : path;
    const got = await fetch(
      url,
      body ? { method, headers: { "Content-Type": "application/json" }, body: body.value } : { method },
    ).catch((error) => ({ status: 0, text: async () => error.message }));
    const text = await got.text();
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      /* not JSON */
    }
    answer.hidden = false;
    answer.textContent = `${got.status}\n${shown.slice(0, 20000)}`;
  }
  const ok = Object.entries(op.responses)[0];
  const schema = Object.values(ok[1].content || {})[0]?.schema;
  return h(
    "details",
    {},
    h("summary", {}, h("code", {}, `${method} ${path}`), ` – ${op.summary}`),
    op.parameters.length
      ? h(
          "ul",
          {},
          op.parameters.map((p, i) =>
            h("li", {}, h("label", {}, h("code", {}, p.name), fields[i][1]), ` ${p.description}`),
          ),
        )
      : null,
    body,
    h(
      "div",
      { class: "row" },
      h("button", { onclick: run }, method === "GET" ? "Ask" : "Send"),
      h("a", { href: path, hidden: method !== "GET" }, "open"),
    ),
    answer,
    schema
      ? h(
          "details",
          {},
          h("summary", {}, `Answer ${ok[0]}`),
          h("pre", {}, JSON.stringify(resolve(doc, schema), null, 2)),
        )
      : null,
    h(
      "p",
      { class: "note" },
      Object.entries(op.responses)
        .slice(1)
        .map(([code, r]) => `${code}: ${r.description}`)
        .join(" · "),
    ),
  );
}

function resolve(doc, schema, depth = 0) {
  if (Array.isArray(schema)) return schema.map((each) => resolve(doc, each, depth));
  if (!schema || typeof schema !== "object") return schema;
  if (schema.$ref)
    return depth > 6
      ? schema.$ref
      : resolve(doc, doc.components.schemas[schema.$ref.split("/").pop()], depth + 1);
  return Object.fromEntries(
    Object.entries(schema)
      .filter(
        ([k]) =>
          !["additionalProperties", "required"].includes(k) ||
          (typeof schema[k] === "object" && k !== "required"),
      )
      .map(([k, v]) => [k, resolve(doc, v, depth)]),
  );
}
