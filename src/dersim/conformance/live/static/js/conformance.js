// The page of a conformance campaign that runs: what to do next, the running procedure, and all ids.
import { card, h, note, say, show, showChanged, table, troubleLine } from "/static/js/dom.js";
import { frame, startTheme } from "/static/js/shell.js";

const EVERY_MS = 1000;
const LOOKS = { pass: "good", warn: "warn", fail: "bad", open: "muted", "not seen": "muted" };
const STATES = { "to come": "muted", operator: "warn", waiting: "warn", running: "good", done: "muted" };
const GONE = "The program does not answer: it has ended, or was stopped.";

const pill = (word, looks = LOOKS) => h("span", { class: `pill ${looks[word] ?? "muted"}` }, word);

async function ask(path, body) {
  const sent = body && { method: "POST", headers: { "Content-Type": "application/json" } };
  const answer = await fetch(path, sent ? { ...sent, body: JSON.stringify(body) } : {});
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || answer.statusText);
  return answer.status === 204 ? null : answer.json();
}

// What the operator is asked, with the two buttons.
class Question {
  constructor() {
    this.trouble = troubleLine();
    this.root = h("section", { class: "card ask", role: "alert", hidden: true });
  }

  update(question) {
    this.root.hidden = !question;
    showChanged(this.root, question, () =>
      question
        ? [
            h("h2", {}, "Operator"),
            h("p", {}, question.text),
            h(
              "div",
              { class: "row" },
              h("button", { class: "main", onclick: () => this.answer(question, true) }, "Continue"),
              h("button", { onclick: () => this.answer(question, false) }, "Skip"),
            ),
            note("Skip: what depends on it is not seen."),
            this.trouble,
          ]
        : [],
    );
  }

  async answer({ number }, done) {
    this.trouble.hidden = true;
    try {
      await ask("/api/conformance/answer", { number, done });
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.message;
    }
  }
}

// The procedure that runs: its clock, steps with countdown, power, criteria and requests.
class Running {
  constructor() {
    this.title = h("h2", {});
    this.purpose = note();
    this.clock = h("progress", { "aria-label": "time of the procedure" });
    this.time = note();
    this.steps = h("ul", { class: "steps" });
    this.figure = h("div", {});
    this.criteria = h("div", {});
    this.requests = h("div", { class: "requests" });
    this.root = h("div", { hidden: true }, this.parts());
  }

  parts() {
    const about = [this.title, this.purpose, this.clock, this.time, this.figure];
    const head = h("section", { class: "card" }, about);
    const steps = card("Steps", this.steps);
    const criteria = card("Verdict so far", this.criteria);
    return [head, h("div", { class: "grid" }, steps, criteria), card("Requests that decided", this.requests)];
  }

  update(running) {
    this.root.hidden = !running;
    if (!running) return;
    const { elapsed_s: now, lasts_s: all, scale } = running;
    say(this.title, `${running.id} ${running.title}`);
    say(this.purpose, [running.purpose, running.reading].filter(Boolean).join(" "));
    [this.clock.max, this.clock.value] = [all, Math.min(now, all)];
    const left = Math.max(0, (all - now) * scale);
    say(this.time, `${now.toFixed(0)} s of ${all} s; judged in ${left.toFixed(0)} s`);
    show(this.steps, running.steps.map((step, index) => stepLine(running, index)));
    showChanged(this.figure, running.power, () => drawing(running.power));
    const heads = ["", "criterion", "seen"];
    showChanged(this.criteria, running.criteria, () => table(heads, running.criteria.map(criterion)));
    showChanged(this.requests, running.requests, () => requestTable(running.requests));
  }
}

function stepLine({ steps, elapsed_s: now, scale }, index) {
  const { at_s: at, text } = steps[index];
  const isNext = at > now && (index === 0 || steps[index - 1].at_s <= now);
  const left = at > now ? `in ${((at - now) * scale).toFixed(0)} s` : "";
  const look = at <= now ? "past" : isNext ? "due" : null;
  return h("li", { class: look }, h("span", {}, `${at} s`), h("span", {}, text), h("span", {}, left));
}

// The plot comes as SVG from the same code as that of the report, with every text escaped.
function drawing(markup) {
  if (!markup) return [];
  return [...new DOMParser().parseFromString(markup, "text/html").body.children];
}

const criterion = ({ text, state, found }) =>
  h("tr", {}, h("td", {}, pill(state)), h("td", {}, text), h("td", {}, found));

const requestTable = (requests) =>
  table(
    [{ title: "at, s", n: true }, "request", { title: "status", n: true }],
    requests.map(({ at_s, method, target, status }) =>
      h("tr", {}, cell(at_s.toFixed(1)), h("td", {}, `${method} `, h("code", {}, target)), cell(status)),
    ),
  );

const cell = (text) => h("td", { class: "n" }, text);

const idRow = ({ id, title, state, conformance, compatibility, found }) =>
  h(
    "tr",
    { class: ["operator", "waiting", "running"].includes(state) ? "current" : null },
    h("td", {}, id),
    h("td", {}, title, found.map((line) => h("small", {}, line))),
    h("td", {}, conformance ? pill(conformance) : pill(state, STATES)),
    h("td", {}, compatibility ? pill(compatibility) : ""),
  );

class Page {
  constructor() {
    this.state = h("span", { class: "pill warn", role: "status", id: "live" }, "Connecting");
    this.next = h("p", { class: "next", role: "status" });
    this.who = h("span", { class: "who" });
    this.question = new Question();
    this.running = new Running();
    this.ids = h("div", { class: "ids" });
    this.counts = note();
  }

  start() {
    startTheme();
    const anchors = [["#now", "Now"], ["#ids", "Procedures"]];
    const ids = card("Procedures", this.counts, this.ids);
    ids.id = "ids";
    const now = h("div", { id: "now" }, card("Next", this.next), this.question.root, this.running.root);
    frame({
      brand: "conformance",
      label: "Parts",
      menu: h("ul", { class: "nav" }, anchors.map(([href, text]) => h("li", {}, h("a", { href }, text)))),
      head: [h("h1", {}, "CSIP conformance"), this.who],
      tools: this.state,
      content: [h("div", {}, now, ids)],
    });
    this.look();
  }

  async look() {
    let news = null;
    try {
      news = await ask("/api/conformance");
    } catch {
      this.lost();
    }
    if (news) this.heard(news);
    if (!this.isOver) setTimeout(() => this.look(), EVERY_MS);
  }

  lost() {
    [this.state.textContent, this.state.className] = ["No answer", "pill bad"];
    say(this.next, GONE);
    this.question.update(null);
  }

  heard(news) {
    const [word, look] = news.over ? ["Over", "pill muted"] : ["Live", "pill good"];
    [this.state.textContent, this.state.className] = [word, look];
    say(this.who, [news.lfdi && `LFDI ${news.lfdi}`, news.address].filter(Boolean).join(", "));
    say(this.next, news.next);
    this.question.update(news.question);
    this.running.update(news.running);
    const done = news.procedures.filter(({ conformance }) => conformance);
    const failed = done.filter((each) => [each.conformance, each.compatibility].includes("fail"));
    say(this.counts, `${done.length} of ${news.procedures.length} done, ${failed.length} failed`);
    const heads = ["id", "procedure", "conformance", "compatibility"];
    showChanged(this.ids, news.procedures, () => table(heads, news.procedures.map(idRow)));
  }
}

new Page().start();
