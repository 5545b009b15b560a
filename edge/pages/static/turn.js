// The turn: it is announced, and kept until somebody presses the button; only then the time for booking begins.
import { again, away, later, request } from "./ask.js";
import { ring } from "./bell.js";
import { element, home, language, line, news, show, texts } from "./page.js";
import { fill, minutes, timeWords } from "./words.js";

const REMIND_MS = 600000;
let pressed = false;
let quietUntil = 0;
let ticking = 0;

// Whether somebody has pressed the button and is to go through as soon as the door lets them.
export const going = () => pressed;

export function called() {
  if (line.dataset.mode !== "called") {
    line.dataset.mode = "called";
    for (const id of ["waiting", "entered", "when", "next"]) show(id, false);
    show("turn", true);
    element("heading").textContent = texts.turn;
    announce();
  }
  later(pressed ? 0 : 15, 1); // seldom: only a pause or the closing could be news
}

function announce() {
  show("reminding", false);
  document.title = `● ${texts.turn}`;
  news(""); // so that the same is said again
  news(texts.turn_news);
  ring();
  const at = document.activeElement; // nobody is led away from what they are doing
  if (at === document.body || at.closest("[hidden]")) element("heading").focus();
}

function remind() {
  clearInterval(ticking);
  quietUntil = performance.now() + REMIND_MS;
  element("reminding").textContent = fill(texts.reminding, { time: timeWords(Date.now() + REMIND_MS) });
  show("reminding", true);
  ticking = setInterval(tick, 5000);
  tick();
}

function tick() {
  const left = quietUntil - performance.now();
  if (left > 0) {
    document.title = `(${minutes(Math.ceil(left / 60000))}) ${texts.turn}`;
  } else {
    clearInterval(ticking);
    announce();
  }
}

export async function claim() {
  if (document.hidden) return; // the time for booking begins when somebody is here
  const answer = await request("/admissions", { method: "POST" });
  if (answer.status === 201) return go(await answer.json());
  show("paced", answer.status === 429);
  if (answer.status === 429) return again(answer, 2);
  if (answer.status >= 500) return away(answer);
  pressed = false;
  if (answer.status === 409 && (await answer.json()).code === "reentry_spent") element("enter").submit(); // the server says it
  else home();
}

function go(admission) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = admission.enter_url;
  for (const [name, value] of Object.entries({ token: admission.token, lang: language })) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}

element("enter")?.addEventListener("submit", (event) => {
  event.preventDefault();
  pressed = true;
  clearInterval(ticking);
  show("reminding", false);
  later(0);
});
if (element("remind")) {
  element("remind").hidden = false;
  element("remind").addEventListener("click", remind);
}
if (line?.dataset.mode === "called") document.title = `● ${texts.turn}`;
