// The place of an opened time: counts down without a word, is given back when the page is left, and says when it has lapsed.
import { clock, fill, unit } from "./clock.js";

const box = document.getElementById("held");
const news = document.getElementById("held-news");
const line = box.querySelector("p");
const said = box.dataset;
const EVERY_MS = 1000;
let ends = said.leftS === undefined ? null : Date.now() + Number(said.leftS) * 1000; // on this device's clock
let timer = 0;
let sent = false; // a form is on its way: what it leads to knows of the place

const form = () => new URLSearchParams({ csrf: said.csrf });

function length(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  return minutes ? `${unit(minutes, "minute")} ${unit(rest, "second")}` : unit(rest, "second");
}

function show() {
  clearTimeout(timer);
  if (ends === null) return;
  const seconds = (ends - Date.now()) / 1000;
  if (seconds <= 0) return over();
  line.textContent = `${fill(said.kept, clock(ends))} (${fill(said.left, length(seconds))})`;
  timer = setTimeout(show, EVERY_MS);
}

function over() {
  ends = null;
  line.textContent = "";
  news.textContent = said.over;
}

async function keep() {
  const asked = Date.now();
  try {
    const answer = await fetch(`${said.way}/hold`, { method: "POST", body: form(), headers: { accept: "application/json" } });
    if (answer.ok) {
      news.textContent = "";
      ends = asked + Number((await answer.json()).lasts_s) * 1000;
      show();
    } else if (answer.status === 409) over();
  } catch {} // nobody answers: it can be confirmed all the same
}

// Nothing is asked for by a page that the browser has only made ready, and nothing twice by one that was led here.
function begin() {
  const [way] = performance.getEntriesByType("navigation");
  if (ends === null || way?.type !== "navigate") keep();
  show();
}

addEventListener("submit", (event) => {
  if (!event.defaultPrevented) sent = true; // a second press is stopped, the first is on its way
});
addEventListener("pagehide", () => {
  if (!sent && ends !== null) navigator.sendBeacon(`${said.way}/release`, form());
});
addEventListener("pageshow", (event) => {
  sent = false;
  if (event.persisted) keep(); // it was given back when the page was left
});
document.addEventListener("visibilitychange", show);
if (document.prerendering) document.addEventListener("prerenderingchange", begin, { once: true });
else begin();
