// The scenario of the admin page: what is played, and a form that begins another one or ends it.

const URL = "/api/utility/scenario";
const POLL_MS = 2000;
const state = document.getElementById("scenario-state");
const told = document.getElementById("scenario-told");
const file = document.getElementById("scenario-file");
const end = document.getElementById("scenario-end");

function words(playing) {
  const in_s = playing.next_in_s;
  const next = in_s === null ? "nothing more happens" : `next in ${Math.ceil(in_s)} s`;
  const of = playing.to_publish ? `, ${playing.published} of ${playing.to_publish} controls published` : "";
  const about = playing.description ? `: ${playing.description}` : "";
  return `${playing.name}${about}. Begun ${Math.round(playing.elapsed_s)} s ago${of}, ${next}.`;
}

async function ask(method, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/yaml" };
  const answer = await fetch(URL, { method, headers, body });
  return { status: answer.status, ok: answer.ok, json: await answer.json() };
}

async function look() {
  try {
    const answer = await ask("GET");
    state.textContent = answer.json ? words(answer.json) : "No scenario is played.";
    end.disabled = !answer.json;
  } catch {
    state.textContent = "The server does not answer.";
  }
}

async function change(method, body) {
  try {
    const answer = await ask(method, body);
    const done = method === "POST" ? "It has begun." : "It has ended.";
    told.textContent = answer.ok ? done : answer.json.detail;
    told.className = answer.ok ? "" : "refused";
  } catch {
    told.textContent = "The server does not answer.";
  }
  await look();
}

document.getElementById("scenario").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (file.files.length) await change("POST", await file.files[0].text());
});
end.addEventListener("click", () => change("DELETE"));

look();
setInterval(() => {
  if (!document.hidden) look();
}, POLL_MS);
