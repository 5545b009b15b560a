// The waiting page, live: asks where we stand, and shows it; at the door it moves on when the room does.
import { atOnce, away, later, request, rest, resting, start } from "./ask.js";
import { address, door, element, home, line, news, show, texts } from "./page.js";
import { called, claim, going } from "./turn.js";
import { expect, left } from "./when.js";
import { count, exactTimeWords, fill, timeWords, waitWords } from "./words.js";

// Tells the server that this browser keeps the page fresh by itself, so that it sends no Refresh header.
document.cookie = `vestibule_live=1; path=/rooms/; max-age=3600; samesite=lax`;
(line ?? door).dataset.live = "";

async function ask() {
  if (going()) return claim();
  const answer = await request(line ? "/tickets/me" : "");
  if (answer.ok) (line ? showLine : showDoor)(await answer.json());
  else if (line && (answer.status === 401 || answer.status === 410)) home();
  else away(answer);
}

// ---- at the door
const nextMoment = ({ as_of, prequeue_at, lanes }) =>
  [prequeue_at, lanes.find(({ lane }) => lane === door.dataset.lane)?.opens_at].find((at) => at && at > as_of) ?? "";

const isTyping = () => [...door.querySelectorAll("input:not([type=hidden])")].some((field) => field.value);

function showDoor(status) {
  const unlikely = status.remaining !== null && (status.remaining === 0 || status.joined - status.called > status.remaining);
  const moment = nextMoment(status);
  const { state, why, unlikely: wasUnlikely } = door.dataset;
  const shown = [state, why, wasUnlikely, element("at")?.dateTime ?? ""];
  const same = `${[status.state, status.why ?? "", unlikely ? "yes" : "", element("at") ? moment : ""]}` === `${shown}`;
  if (!same && !isTyping()) return home();
  if (moment) expect(status.as_of, moment);
  afterMoment(left() > 60 ? 60 : 10);
}

// Asks again, but in the seconds after the moment: not everybody in the same one.
function afterMoment(seconds) {
  if (left() > 0 && left() < seconds) later(left() + 0.5 + 10 * Math.random(), 0);
  else later(seconds);
}

// ---- in line
function showLine(standing) {
  if (standing.state === "left") return home();
  show("away", false);
  for (const state of ["paused", "closed", "draining"]) {
    const shown = standing.room_state === state && !(standing.why && state !== "draining");
    if (shown && element(state).hidden) news(element(state).textContent);
    show(state, shown);
  }
  show("enter", standing.room_state !== "closed");
  showOutlook(standing);
  if (standing.state === "called") return showDrawn(standing), called();
  if (standing.state === "admitted") return line.dataset.mode === "admitted" ? undefined : home();
  expect(standing.as_of, standing.opens_at);
  if (standing.state === "entered") return showEntry(standing);
  showPlace(standing);
  later(standing.poll_after_s);
}

let noted = "";

function showOutlook(standing) {
  const why = standing.why === "origin_unhealthy" ? "origin_down" : standing.why;
  const unlikely = standing.outlook === "unlikely" && why !== "sold_out";
  const slower = standing.wait && standing.state === "waiting" ? standing.wait_reason : null;
  const note = why ? `#why [data-why=${why}]` : unlikely ? "#unlikely" : slower ? `#reason [data-reason=${slower}]` : "";
  const isNew = note && note !== noted && (noted || document.querySelector(note).closest("[hidden]"));
  for (const text of element("why").children) text.hidden = text.dataset.why !== why;
  for (const text of element("reason").children) text.hidden = text.dataset.reason !== slower;
  show("why", why);
  show("unlikely", unlikely);
  show("reason", slower);
  if (isNew) news(document.querySelector(note).textContent);
  noted = note;
}

function showEntry(standing) {
  if (!element("entered")) return home();
  later(standing.poll_after_s);
}

let latest = "";

function showPlace(standing) {
  if (standing.as_of < latest) return; // another server's picture, a moment older: nobody is shown to fall back
  latest = standing.as_of;
  const words = waitWords(standing.wait);
  const ahead = count.format(standing.ahead);
  const begin = Math.max(element("progress").max, standing.ahead, 1);
  show("waiting", true);
  element("place").textContent = count.format(standing.place);
  element("ahead").textContent = ahead;
  element("wait").textContent = words;
  element("progress").max = begin;
  element("progress").value = begin - standing.ahead;
  showTime(standing.as_of);
  showDrawn(standing);
  document.title = `(${ahead}) ${texts.title}`;
  expected = standing.wait ? performance.now() + standing.wait.p50_s * 1000 : Infinity;
  news(fill(texts.news, { ahead, wait: words }), false);
}

// The draw has given the entry its place; said once.
function showDrawn({ entry, place }) {
  if (line.dataset.mode !== "entered" || place === null) return;
  line.dataset.mode = "waiting";
  show("entered", false);
  element("heading").textContent = texts.in_line;
  element("drawn").firstElementChild.textContent = fill(texts.drawn, { entry: count.format(entry), place: count.format(place) });
  show("drawn", true);
  news(element("drawn").textContent);
}

function showTime(moment) {
  element("updated").dateTime = moment;
  element("updated").textContent = exactTimeWords(moment);
}

// ---- a code for another device, without leaving the page
element("take-code")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch(`${address}/resume-codes`, { method: "POST", headers: { accept: "application/json" } }).catch(() => null);
  if (answer?.status !== 201) return event.target.submit(); // the server says why
  const made = await answer.json();
  const shown = element("code-shown");
  shown.querySelector(".code").textContent = made.code;
  shown.querySelector("time").textContent = timeWords(made.expires_at);
  shown.hidden = false;
});

// ---- nobody looks and nobody listens: no requests; only the title says when it is worth looking
let expected = Infinity;
let reminder = 0;

function looked() {
  clearTimeout(reminder);
  if (resting()) {
    rest();
    const until = expected - performance.now();
    if (line?.dataset.mode === "waiting" && until < 2 ** 31 - 1) reminder = setTimeout(() => (document.title = `● ${texts.soon}`), Math.max(0, until));
  } else if (watching() && !document.hidden) {
    atOnce();
  }
}

const watching = () => !line || going() || ["waiting", "entered", "away", "called"].includes(line.dataset.mode);

document.addEventListener("visibilitychange", looked);
addEventListener("pageshow", (event) => event.persisted && looked());
if (line && element("updated").dateTime) showTime(element("updated").dateTime);
start(ask);
if (watching()) {
  if (line) later(Number(line.dataset.poll));
  else afterMoment(10);
}
