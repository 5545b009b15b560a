// Time for booking: counts down without a word, says once when little is left, and gets more without leaving the page.
import { clock, fill, unit } from "./clock.js";

const SOON_S = 300;
const EVERY_MS = 5000;
const SAID = "vestibule_turn_said"; // the end that was spoken of, so that the next page does not say it again

const box = document.getElementById("turn");
const button = box.querySelector("button[name=csrf]");
const end = document.getElementById("turn-end");
const news = document.getElementById("turn-news");
const said = box.dataset;

function length(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return said.short;
  const hours = Math.floor(minutes / 60);
  const parts = hours ? [unit(hours, "hour")] : [];
  if (minutes % 60) parts.push(unit(minutes % 60, "minute"));
  return parts.join(" ");
}

// ---- the end, on this device's clock, which may go wrong by hours
const ahead = Date.now() + Number(said.leftS) * 1000 - Date.parse(end.dateTime);
const left = () => (Date.parse(end.dateTime) + ahead - Date.now()) / 1000;
const SPEAKS_MS = 1000; // a live region must have been there for a moment before it speaks
let timer = 0;
let speaking = 0;

function show() {
  clearTimeout(timer);
  const seconds = left();
  const state = seconds <= 0 ? "over" : seconds <= SOON_S ? "soon" : "";
  end.textContent = clock(end.dateTime);
  document.getElementById("turn-left").textContent = `(${fill(said.left, length(seconds))})`;
  if (state && state !== said.state) warn(state, seconds);
  said.state = state;
  box.querySelector("p").hidden = state === "over";
  if (state !== "over") timer = setTimeout(show, Math.min(EVERY_MS, seconds * 1000 + 50));
}

function warn(state, seconds) {
  const mark = `${state} ${end.dateTime}`;
  clearTimeout(speaking);
  if (remembered() !== mark) speaking = setTimeout(() => say(fill(said[state], length(seconds)), state === "soon"), SPEAKS_MS);
  remember(mark);
}

// Who sees the page has the minutes before their eyes, which go on counting: what is only heard is not shown.
function say(text, onlyHeard = false) {
  news.classList.toggle("unseen", onlyHeard);
  news.textContent = text;
}

function remembered() {
  try {
    return sessionStorage.getItem(SAID);
  } catch {
    return null; // a browser that keeps nothing: it is said on every page
  }
}

function remember(mark) {
  try {
    sessionStorage.setItem(SAID, mark);
  } catch {} // see above
}

// ---- more of it
let asking = false;

async function ask() {
  if (asking) return;
  asking = true;
  button.setAttribute("aria-disabled", "true");
  const body = new URLSearchParams(new FormData(button.form)); // what was typed is kept on the way
  body.set("csrf", button.value);
  try {
    const answer = await fetch(button.formAction, { method: "POST", body, headers: { accept: "application/json" } });
    if (answer.ok) longer(await answer.json());
    else if (answer.status < 500) return leave();
    else say(said.away);
  } catch {
    say(said.away);
  }
  asking = false;
  button.removeAttribute("aria-disabled");
}

function longer(turn) {
  clearTimeout(speaking);
  end.dateTime = turn.expires_at;
  show();
  say(fill(said.longer, clock(end.dateTime)));
}

// Refused: the server's page says why, and what to do; it keeps what was typed.
function leave() {
  button.removeEventListener("click", press);
  button.removeAttribute("aria-disabled");
  button.click();
}

function press(event) {
  event.preventDefault();
  ask();
}

button.addEventListener("click", press);
document.addEventListener("visibilitychange", show);
show();
