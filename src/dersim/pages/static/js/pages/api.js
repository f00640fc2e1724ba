// The API, browsable: made from /openapi.json, with nothing from elsewhere.
import { card, h, note, show } from "../dom.js";
import { getPlain } from "../api.js";

export function mount(root) {
  const place = h("div", {});
  const metrics = h("span", {});
  const stream = h("span", {});
  show(
    root,
    card(
      "REST API",
      h(
        "p",
        {},
        "OpenAPI 3.1: ",
        h("a", { href: "/openapi.json" }, "/openapi.json"),
        metrics,
        ".",
        stream,
      ),
      place,
    ),
  );
  getPlain("/openapi.json")
    .then((doc) => {
      show(place, sections(doc));
      if (doc.paths["/metrics"])
        show(metrics, ". Metrics for Prometheus: ", h("a", { href: "/metrics" }, "/metrics"));
      if (doc.paths["/api/dersim/overview"]) show(stream, ...telemetry());
    })
    .catch((error) => show(place, h("p", { class: "trouble" }, error.message)));
}

const telemetry = () => [
  " Telemetry: WebSocket ",
  h("code", {}, "/api/dersim/telemetry/ws?device=K"),
  ": the overview document at once and after every tick.",
];

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
    p,
    h("input", { "aria-label": p.name, placeholder: p.schema.default ?? "", title: p.description }),
  ]);
  const taken = op.requestBody?.content["application/json"];
  const body = taken ? bodyField(taken.example ?? {}) : null;
  const answer = h("pre", { hidden: true });
  const run = async () => {
    const told = await ask(method, address(path, fields), body?.value);
    answer.hidden = false;
    answer.textContent = told;
  };
  return h(
    "details",
    {},
    h("summary", {}, h("code", {}, `${method} ${path}`), ` – ${op.summary}`),
    op.parameters.length
      ? h(
          "ul",
          {},
          op.parameters.map((each, i) => parameter(each, fields[i][1])),
        )
      : null,
    body,
    taken ? h("details", {}, h("summary", {}, "Body"), schemaText(doc, taken.schema)) : null,
    h(
      "div",
      { class: "row" },
      h("button", { onclick: run }, method === "GET" ? "Ask" : "Send"),
      method === "GET" && !path.includes("{") ? h("a", { href: path }, "open") : null,
    ),
    answer,
    answers(doc, op),
  );
}

function bodyField(example) {
  const text = JSON.stringify(example, null, 1).replaceAll(/\n\s*/g, " ");
  return h("textarea", { rows: 3, "aria-label": "body", style: { width: "100%" }, class: "mono" }, text);
}

// A schema with all that it refers to.
const schemaText = (doc, schema) =>
  h("pre", { tabindex: 0 }, JSON.stringify(resolve(doc, schema), null, 2));

// The path with its ids filled in, and the query of what was given.
function address(path, fields) {
  const given = fields.filter(([, input]) => input.value);
  const asked = given.filter(([p]) => p.in === "query").map(([p, input]) => [p.name, input.value]);
  const ids = fields.filter(([p]) => p.in === "path");
  const put = (text, [p, input]) => text.replace(`{${p.name}}`, encodeURIComponent(input.value));
  const filled = ids.reduce(put, path);
  return asked.length ? `${filled}?${new URLSearchParams(asked)}` : filled;
}

const parameter = ({ name, description }, input) =>
  h("li", {}, h("label", {}, h("code", {}, name), input), ` ${description}`);

// Status and body of the answer as text, JSON indented.
async function ask(method, url, body) {
  const headers = { "Content-Type": "application/json" };
  const got = await fetch(url, body === undefined ? { method } : { method, headers, body }).catch(
    (error) => ({
      status: 0,
      text: async () => error.message,
    }),
  );
  let text = await got.text();
  try {
    text = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    /* not JSON */
  }
  return `${got.status}\n${text.slice(0, 20000)}`;
}

// What comes back: the schema where all is well, and the errors in a line.
function answers(doc, op) {
  const [[status, good], ...errors] = Object.entries(op.responses);
  const schema = Object.values(good.content || {})[0]?.schema;
  return [
    schema ? h("details", {}, h("summary", {}, `Answer ${status}`), schemaText(doc, schema)) : null,
    note(errors.map(([code, each]) => `${code}: ${each.description}`).join(" · ")),
  ];
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
