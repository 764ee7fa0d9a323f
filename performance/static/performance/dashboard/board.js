// The live board: charts and tables that follow the site without a reload.

import { Chart } from "./chart.js";
import { moment } from "./format.js";
import { Poll } from "./poll.js";

const board = document.getElementById("board");
const first = JSON.parse(document.getElementById("board-data").textContent);
const time = { offsets: first.offsets, long: first.long };
const button = document.getElementById("pause");
const age = document.getElementById("age");
const state = document.getElementById("state");
const shown = new Map();
let latest = first;
let turn = 1;
let stale = false;

const SENTENCES = {
  live: "",
  paused: "Paused: the figures stand still.",
  away: "The site does not answer; the figures are the last ones heard.",
  "signed-out": "You are signed out, or may no longer see this page. Reload to sign in.",
};

function open(from, seconds) {
  const address = new URL(board.dataset.moment, location.href);
  address.searchParams.set("at", new Date(from * 1000).toISOString());
  address.searchParams.set("seconds", Math.max(60, Math.ceil(seconds)));
  location.assign(address);
}

const charts = new Map(
  [...board.querySelectorAll("[data-chart]")].map((node) => [node.dataset.chart, new Chart(node, time, open)]),
);

/** Swaps what changed, and leaves the keyboard where it was. */
function swap(name, html) {
  const place = board.querySelector(`[data-part="${CSS.escape(name)}"]`);
  if (!place || shown.get(name) === html) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  shown.set(name, html);
  place.innerHTML = html;
  if (focused) place.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** The tables come with every so many answers; between them only the newest steps do. */
function where() {
  const address = new URL(board.dataset.address, location.href);
  const [chart] = charts.values();
  const starts = chart.data.x;
  if (turn % latest.whole && !stale && starts.length > 1) address.searchParams.set("since", new Date(starts.at(-2) * 1000).toISOString());
  turn += 1;
  return address;
}

function draw(answer) {
  stale = false;
  for (const [name, chart] of charts) {
    if (!answer.tail) chart.show(answer.charts[name], answer.spans);
    else if (!chart.extend(answer.charts[name], answer.spans)) stale = true;
  }
}

function take(answer) {
  latest = answer;
  if (!answer.tail) time.offsets = answer.offsets;
  for (const [name, html] of Object.entries(answer.parts)) swap(name, html);
  draw(answer);
}

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function tell(what) {
  board.dataset.state = what;
  button.setAttribute("aria-pressed", String(what === "paused"));
  say(SENTENCES[what] || latest.notice);
  tick();
}

function tick() {
  const old = Math.round(poll.age + Math.max(0, latest.at - latest.until));
  age.textContent = latest.live && old < 60 ? `updated ${old} s ago` : `figures up to ${moment(Math.floor(latest.until), time)}`;
}

const poll = new Poll(where, take, tell);
button.hidden = !first.refresh;
button.addEventListener("click", () => poll.toggle());
poll.begin(first.refresh);
draw(first);
tell("live");
setInterval(tick, 1000);

// The theme's own switch changes a class; the charts' colours follow.
new MutationObserver(() => charts.forEach((chart) => chart.redraw())).observe(document.documentElement, {
  attributeFilter: ["class"],
});
