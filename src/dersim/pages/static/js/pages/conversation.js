// The conversation with the server: every exchange, filtered, newest first, and the one that is open.
import { card, cardRow, h, headRow, say, scroller, show, stamp, troubleLine } from "../dom.js";
import { follow, getPlain } from "../api.js";
import { bytes, num, shortId } from "../format.js";
import { Filters } from "./conversation_filters.js";
import { detailOf, exchangeOf, pathOf, tint } from "./exchange.js";

// Rows that are asked for at once; each time older ones are asked for, so many more are kept.
const PAGE = 200;

const COLUMNS = ["Time", "DER", "Method", "Path", "Status", "Verdict", "Cause", "ms", "Sent", "Received"];
const NUMBERS = ["DER", "ms", "Sent", "Received", "Request", "Answer"];
const OF_CLIENTS = {
  address: "/api/dersim/conversation",
  title: "Conversation with the server",
  columns: COLUMNS,
};
// The server knows its clients by their LFDI; it notes neither causes nor times.
export const OF_SERVER = {
  address: "/api/utility/conversation",
  title: "Conversation with the devices",
  columns: ["Time", "Device", "Method", "Path", "Status", "Verdict", "Request", "Answer"],
  ofServer: true,
};

// side: whose conversation it is.
export function mount(root, context, side = OF_CLIENTS) {
  const page = new ConversationPage(root, context, side);
  page.load();
  return { unmount: () => page.close() };
}

class ConversationPage {
  constructor(root, context, side) {
    this.side = side;
    this.filters = new Filters(() => this.restart(), side.ofServer);
    this.after = 0;
    this.keep = 2 * PAGE;
    this.turn = 0;
    this.search = 0;
    this.timer = 0;
    this.gone = false;
    this.paused = false;
    this.chosen = null;
    this.hold = h("button", { onclick: () => this.pause() }, "Pause");
    this.more = h("button", { onclick: () => this.loadOlder(), hidden: true }, "Show older");
    this.pcap = h("span", {});
    const file = (kind) =>
      h("a", { class: "button", download: `conversation.${kind}`, onclick: follow });
    this.files = ["jsonl", "har"].map(file);
    this.count = h("p", { class: "note", role: "status" });
    this.body = h("tbody", {});
    this.trouble = troubleLine();
    this.detail = h("div", { tabindex: -1 }, h("p", { class: "empty" }, "Choose an exchange."));
    this.detailCard = card("Exchange", this.detail);
    show(root, card(side.title, this.parts(context)), this.detailCard);
    this.showAddress();
    if (this.filters.asked) this.open(this.filters.asked);
  }

  parts(context) {
    const tools = h("div", { class: "row" }, this.hold, this.files, this.pcap);
    const head = h("thead", {}, headRow(this.side.columns, NUMBERS));
    const list = h("table", { class: "cards exchanges" }, head, this.body);
    const fields = h("div", { class: "filters" }, this.filters.fields(context?.count || 1));
    const place = scroller(list, this.more);
    place.classList.add("list");
    return [fields, tools, this.trouble, this.count, place];
  }

  // The address has the filters and the open exchange; the exports have the filters.
  showAddress() {
    history.replaceState(null, "", this.filters.address(this.chosen));
    const query = String(new URLSearchParams(this.filters.given()));
    for (const link of this.files) {
      const kind = link.download.split(".")[1];
      link.textContent = kind === "har" ? "Export HAR" : "Export JSONL";
      link.href = `${this.side.address}/export.${kind}${query ? `?${query}` : ""}`;
    }
  }

  pause() {
    this.paused = !this.paused;
    this.hold.textContent = this.paused ? "Go on" : "Pause";
    this.hold.setAttribute("aria-pressed", String(this.paused));
    clearTimeout(this.timer);
    if (!this.paused) this.load();
    else if (this.after) this.turn++; // what was asked for just now is not shown any more
  }

  restart() {
    if (this.gone) return; // someone typed, and went to another page
    this.search++;
    this.after = 0;
    this.keep = 2 * PAGE;
    this.showAddress();
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    try {
      await this.loadNew(turn);
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.message;
    }
    if (turn !== this.turn || this.gone || this.paused) return;
    this.timer = setTimeout(() => this.load(), 1500);
  }

  // All rows that are new, page after page where one does not hold them; the newest page at the start.
  async loadNew(turn) {
    const { after } = this;
    const found = [];
    let before = null;
    let answer;
    do {
      answer = await getPlain(this.side.address, { ...this.filters.query(), after, before, limit: PAGE });
      if (turn !== this.turn || this.gone) return; // the filters have changed meanwhile
      found.unshift(...answer.exchanges);
      before = answer.older;
    } while (after && before && found.length < this.keep);
    const rows = found.map((each) => this.row(each)).reverse();
    if (after && !before) this.body.prepend(...rows);
    else show(this.body, rows);
    this.after = found.at(-1)?.id || after;
    if (!after || before) this.more.hidden = !before;
    this.trim();
    this.tell(answer);
  }

  trim() {
    while (this.body.children.length > this.keep) {
      this.body.lastChild.remove();
      this.more.hidden = false;
    }
  }

  tell({ matches, held, pcap }) {
    if (pcap && !this.pcap.firstChild) show(this.pcap, pcapLink());
    const shown = this.body.children.length;
    const part = shown < matches ? `, the newest ${shown} are shown` : "";
    const all = matches === held ? `${held} exchanges` : `${matches} of ${held} exchanges match`;
    say(this.count, `${all}${part}.`);
  }

  async loadOlder() {
    const { search } = this;
    const before = Number(this.body.lastChild?.dataset.id) || null;
    const answer = await getPlain(this.side.address, { ...this.filters.query(), before, limit: PAGE });
    if (search !== this.search || this.gone) return; // the filters have changed meanwhile
    this.keep += answer.exchanges.length;
    this.body.append(...answer.exchanges.map((each) => this.row(each)).reverse());
    this.more.hidden = !answer.older;
    this.tell(answer);
  }

  row(exchange) {
    const open = () => this.open(exchange.id, true);
    const onkeydown = (event) => {
      if (event.key === "Enter") open();
    };
    const row = h("tr", { class: "pick", tabindex: 0, onclick: open, onkeydown }, cells(exchange, this.side));
    row.dataset.id = exchange.id;
    if (exchange.id === this.chosen) row.setAttribute("aria-selected", "true");
    return cardRow(row, this.side.columns);
  }

  async open(id, picked = false) {
    this.chosen = id;
    for (const row of this.body.querySelectorAll("[aria-selected]")) row.removeAttribute("aria-selected");
    this.body.querySelector(`[data-id="${id}"]`)?.setAttribute("aria-selected", "true");
    this.showAddress();
    try {
      const { address } = this.side;
      const exchange = await exchangeOf(address, id);
      const old = exchange.previous;
      const before = old ? await exchangeOf(address, old).catch(() => null) : null;
      if (this.chosen !== id || this.gone) return;
      show(this.detail, detailOf(exchange, before, this.filters.address(id), (other) => this.open(other)));
    } catch (error) {
      show(this.detail, h("p", { class: "trouble" }, [error.message, error.hint].filter(Boolean).join("; ")));
    }
    if (picked && this.detailCard.getBoundingClientRect().top > innerHeight * 0.7)
      this.detailCard.scrollIntoView({ block: "start" });
  }

  close() {
    this.gone = true;
    clearTimeout(this.timer);
  }
}

// The records with their secrets, where --pcap keeps them.
const pcapLink = () => [
  h("a", { class: "button", href: `${OF_CLIENTS.address}/export.pcapng`, download: true }, "Export pcapng"),
  h("span", { class: "muted" }, " for Wireshark, with TLS secrets: PINs are readable in it"),
];

function cells(exchange, { ofServer }) {
  const { time, device, method, url, status, elapsed_ms, request_bytes, response_bytes, ...told } = exchange;
  const unused = told.outcome.startsWith("not used") ? ", not used" : "";
  const planted = told.outcome.includes("; planted fault #") ? ", planted fault" : "";
  const bad = status === 0 || status >= 400 || unused;
  return [
    h("td", { class: "t" }, stamp(time, true)),
    ofServer ? whoCell(exchange) : h("td", { class: "n" }, device),
    h("td", {}, method),
    h("td", {}, h("span", { class: "mono" }, pathOf(url)), h("small", {}, told.resource)),
    h("td", { class: bad ? "bad" : "", title: told.outcome }, `${status || "no answer"}${unused}${planted}`),
    h("td", { class: tint(told.verdict), title: bothVerdicts(told) }, verdictWords(told)),
    ofServer ? [] : h("td", { class: "wrap" }, told.cause),
    ofServer ? [] : h("td", { class: "n less" }, num(elapsed_ms, 1)),
    h("td", { class: "n less" }, bytes(request_bytes)),
    h("td", { class: "n less" }, bytes(response_bytes)),
  ];
}

const whoCell = ({ device, lfdi }) =>
  h("td", { class: "t", title: lfdi }, lfdi ? `#${device} ${shortId(lfdi)}` : "–");

function bothVerdicts(told) {
  const one = (side) => [told[`${side}_verdict`], told[`${side}_editions`].join(" and ")].filter(Boolean);
  return `sent: ${one("request").join(", ")}; received: ${one("response").join(", ")}`;
}

// The word, and which body it is about where that is not plain.
function verdictWords({ verdict, request_verdict, response_verdict }) {
  const bad = (word) => word === "violations" || word === "invalid";
  const both = request_verdict !== "no body" && response_verdict !== "no body";
  if (bad(verdict) && both) return `${verdict}: ${request_verdict === verdict ? "sent" : "received"}`;
  if (verdict !== "error status" || !bad(request_verdict)) return verdict;
  return `${verdict}; ${request_verdict} sent`;
}
