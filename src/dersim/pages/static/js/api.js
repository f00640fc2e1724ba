// The REST API. Every failure is an ApiError whose message is fit to be shown.
// errors: [{pointer, detail}], the JSON Pointer of each wrong member of what was sent.
export class ApiError extends Error {
  constructor(message, status, hint, errors = []) {
    super(message);
    this.status = status;
    this.hint = hint;
    this.errors = errors;
  }
}

// A number; 0 until the first DER's is known, where the address names none.
let device = Number(new URLSearchParams(location.search).get("device")) || 0;
export const currentDevice = () => device;
export const startWith = (number) => (device ||= number);
export function setDevice(number) {
  device = number;
  const url = new URL(location.href);
  url.searchParams.set("device", number);
  history.replaceState(null, "", url);
}

// The token of a site that asks for it in a header, for as long as this tab is open.
const TOKEN = "dersim-token";
export const useToken = (token) => sessionStorage.setItem(TOKEN, token);

function withToken(options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  if (!token) return options;
  return { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } };
}

// What a click on a link to a document does: a link itself could not carry the token, so the page fetches it.
export async function follow(event) {
  if (!sessionStorage.getItem(TOKEN)) return;
  event.preventDefault();
  const { href, download } = event.currentTarget;
  const answer = await fetch(href, withToken());
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  const suffix = isJson(answer) ? ".json" : "";
  Object.assign(link, { href: url, download: download || new URL(href).pathname.split("/").at(-1) + suffix });
  link.click();
  URL.revokeObjectURL(url);
}

const isJson = (answer) => (answer.headers.get("content-type") || "").includes("json");

async function ask(path, options) {
  let answer, body;
  try {
    answer = await fetch(path, withToken(options));
    body = isJson(answer) ? await answer.json() : await answer.text();
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    // Also where the connection broke in the middle of the body.
    throw new ApiError(`${location.host} does not answer.`, 0, "Is it still running?");
  }
  if (!answer.ok)
    throw new ApiError(
      body.detail || `${answer.status} ${answer.statusText}`,
      answer.status,
      body.hint,
      body.errors,
    );
  return body;
}

function address(path, query) {
  const parts = Object.entries(query).filter(([, v]) => v !== null && v !== undefined && v !== "");
  const text = new URLSearchParams(parts).toString();
  return text ? `${path}?${text}` : path;
}

// Of the device that is looked at.
export const get = (path, query = {}) => ask(address(path, { device, ...query }), { cache: "no-cache" });
// Of the whole fleet, or of none.
export const getPlain = (path, query = {}) => ask(address(path, query), { cache: "no-cache" });

const json = (method, body) => ({
  method,
  headers: body === undefined ? {} : { "Content-Type": "application/json" },
  body: body === undefined ? undefined : JSON.stringify(body),
});

export const post = (path, body, query = {}) => ask(address(path, { device, ...query }), json("POST", body));
// Where there is no device to be chosen.
export const postPlain = (path, body, query = {}) => ask(address(path, query), json("POST", body));
export const put = (path, body) => ask(path, json("PUT", body));
// A text as it is.
export const postText = (path, body, type) =>
  ask(path, { method: "POST", headers: { "Content-Type": type }, body });
export const remove = (path, query = {}) => ask(address(path, query), { method: "DELETE" });
