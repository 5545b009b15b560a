// The waiting page, live: asks where we stand, no more often than told, never while nobody looks; goes through when called.
const line = document.getElementById("line");
const door = document.getElementById("door");
const room = (line ?? door).dataset.room;
const address = `/v1/rooms/${encodeURIComponent(room)}`;
const language = document.documentElement.lang;
const element = (id) => document.getElementById(id);
const texts = line ? JSON.parse(element("texts").textContent) : {};

// Tells the server that this browser keeps the page fresh by itself, so that it sends no Refresh header.
document.cookie = `vestibule_live=1; path=/rooms/; max-age=3600; samesite=lax`;
(line ?? door).dataset.live = "";

// ---- words: the same rounding as shared/web/words.py
const figures = { numberingSystem: "latn", useGrouping: "always" };
const count = new Intl.NumberFormat(language, figures);
const unit = (value, name) => new Intl.NumberFormat(language, { ...figures, style: "unit", unit: name, unitDisplay: "long" }).format(value);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function length(minutes) {
  const hours = Math.floor(minutes / 60);
  const parts = hours ? [unit(hours, "hour")] : [];
  if (minutes % 60 || !hours) parts.push(unit(minutes % 60, "minute"));
  return parts.join(" ");
}

function rounded(seconds, towards) {
  const minutes = Math.max(0, seconds) / 60;
  const step = minutes < 30 ? 1 : minutes < 90 ? 5 : 15;
  return towards(minutes / step) * step;
}

function waitWords(expected) {
  const say = texts.wait;
  if (!expected) return say.unknown;
  const low = rounded(expected.p50_s, Math.floor);
  const high = rounded(Math.max(expected.p50_s, expected.p90_s), Math.ceil);
  if (high <= 1) return say.none;
  if (high > 1440) return fill(say.more, { low: length(Math.max(1, Math.min(low, 1440))) });
  if (low === 0) return fill(say.up_to, { high: length(high) });
  if (low === high) return fill(say.about, { low: length(low) });
  return fill(say.between, { low: high < 60 ? count.format(low) : length(low), high: length(high) });
}

// ---- asking: one request at a time, one timer
let timer = 0;
let notBefore = 0; // what Retry-After asked for
let failures = 0;
let sounding = false;
const resting = () => document.hidden && !sounding;
let asking = null;

function later(seconds, spread = 0.25) {
  const wait = seconds * 1000 * (1 + Math.random() * spread);
  clearTimeout(timer);
  if (!resting()) timer = setTimeout(ask, wait);
}

async function request(path, options = {}) {
  asking = new AbortController();
  const limit = setTimeout(() => asking?.abort(), 15000);
  try {
    return await fetch(address + path, { cache: "no-store", headers: { accept: "application/json" }, signal: asking.signal, ...options });
  } finally {
    clearTimeout(limit);
    asking = null;
  }
}

async function ask() {
  if (resting() || asking) return;
  try {
    const answer = await request(line ? "/tickets/me" : "");
    if (answer.ok) {
      failures = 0;
      (line ? showLine : showDoor)(await answer.json());
    } else if (line && (answer.status === 401 || answer.status === 410)) {
      location.reload(); // the server knows what to say
    } else {
      away(answer);
    }
  } catch {
    if (!resting()) away(null);
  }
}

function away(answer) {
  failures += 1;
  const told = Number(answer?.headers.get("Retry-After")) || 0;
  if (line && (!answer || answer.status >= 500) && failures > 1) {
    element("away").hidden = false;
    news(element("away").textContent);
  }
  notBefore = performance.now() + told * 1000;
  later(Math.max(told, Math.min(60, 2 ** failures)), 0.5);
}

// ---- showing
let lastNews = { text: "", at: -Infinity };

function news(text, atOnce = true) {
  const now = performance.now();
  if (text === lastNews.text || (!atOnce && now - lastNews.at < 60000)) return;
  lastNews = { text, at: now };
  element("news").textContent = text.trim().replace(/\s+/g, " ");
}

function showDoor(status) {
  const unlikely = status.remaining !== null && (status.remaining === 0 || status.joined - status.called > status.remaining);
  const shown = [door.dataset.state, door.dataset.why, door.dataset.unlikely];
  if (`${[status.state, status.why ?? "", unlikely ? "yes" : ""]}` !== `${shown}`) location.reload();
  else later(10);
}

function showLine(standing) {
  if (standing.state === "left") return location.reload();
  element("away").hidden = true;
  for (const state of ["paused", "closed"]) {
    const shown = standing.room_state === state && !standing.why;
    if (shown && element(state).hidden) news(element(state).textContent);
    element(state).hidden = !shown;
  }
  showOutlook(standing);
  if (standing.state === "called") return called();
  if (standing.state === "admitted") return line.dataset.mode === "admitted" ? undefined : location.reload();
  showPlace(standing);
  later(standing.poll_after_s);
}

let noted = "";

function showOutlook(standing) {
  const why = standing.why === "origin_unhealthy" ? "origin_down" : standing.why;
  const unlikely = standing.outlook === "unlikely" && why !== "sold_out";
  const note = why ? `#why [data-why=${why}]` : unlikely ? "#unlikely" : "";
  const isNew = note && note !== noted && (noted || document.querySelector(note).closest("[hidden]"));
  for (const text of element("why").children) text.hidden = text.dataset.why !== why;
  element("why").hidden = !why;
  element("unlikely").hidden = !unlikely;
  if (isNew) news(document.querySelector(note).textContent);
  noted = note;
}

let latest = "";

function showPlace(standing) {
  if (standing.as_of < latest) return; // another server's picture, a moment older: nobody is shown to fall back
  latest = standing.as_of;
  const words = waitWords(standing.wait);
  const ahead = count.format(standing.ahead);
  const start = Math.max(Number(line.dataset.start), standing.ahead, 1);
  element("waiting").hidden = false;
  element("place").textContent = count.format(standing.place);
  element("ahead").textContent = ahead;
  element("wait").textContent = words;
  element("progress").max = start;
  element("progress").value = start - standing.ahead;
  showTime(standing.as_of);
  document.title = `(${ahead}) ${texts.title}`;
  expected = standing.wait ? performance.now() + standing.wait.p50_s * 1000 : Infinity;
  news(fill(texts.news, { ahead, wait: words }), false);
}

function showTime(moment) {
  element("updated").dateTime = moment;
  element("updated").textContent = new Date(moment).toLocaleTimeString(language, { numberingSystem: "latn" });
}

// ---- going through
async function called() {
  if (line.dataset.mode !== "called") {
    line.dataset.mode = "called";
    for (const id of ["waiting", "next"]) element(id).hidden = true;
    element("turn").hidden = false;
    element("heading").textContent = texts.turn;
    news(texts.turn_news);
    if (sounding) rung = tone();
  }
  document.title = `● ${texts.turn}`;
  if (document.hidden) return; // the turn is kept; the time for booking begins when somebody is here
  try {
    const answer = await request("/admissions", { method: "POST" });
    if (answer.status === 201) return go(await answer.json(), await rung);
    element("paced").hidden = answer.status !== 429;
    if (answer.status === 401 || answer.status === 410) return location.reload();
    const told = Number(answer.headers.get("Retry-After")) || 2;
    notBefore = performance.now() + told * 1000;
    later(told);
  } catch {
    away(null);
  }
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
  called();
});

// ---- a sound, for those who ask for it: pressing the button is what lets the browser play it later
let audio = null;
let rung = null;

function tone() {
  audio.resume();
  for (const [at, pitch] of [[0, 660], [0.25, 880], [0.5, 660]]) {
    const begin = audio.currentTime + at;
    const [voice, volume] = [audio.createOscillator(), audio.createGain()];
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0.3, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.4);
    voice.connect(volume).connect(audio.destination);
    voice.start(begin);
    voice.stop(begin + 0.4);
  }
  return new Promise((over) => setTimeout(over, 1000));
}

const bell = element("sound");
if (bell && "AudioContext" in window) {
  bell.hidden = false;
  bell.addEventListener("click", () => {
    sounding = !sounding;
    bell.setAttribute("aria-pressed", sounding);
    element("sound-on").hidden = !sounding;
    if (!sounding) return;
    audio ??= new AudioContext();
    tone();
    news(element("sound-on").textContent);
  });
}

// ---- nobody looks and nobody listens: no requests; only the title says when it is worth looking
let expected = Infinity;
let reminder = 0;

function looked() {
  clearTimeout(reminder);
  if (resting()) {
    clearTimeout(timer);
    asking?.abort();
    const until = expected - performance.now();
    if (line && until < 2 ** 31 - 1) reminder = setTimeout(() => (document.title = `● ${texts.soon}`), Math.max(0, until));
  } else if (watching() && !document.hidden) {
    atOnce();
  }
}

const atOnce = () => later(Math.max(0, notBefore - performance.now()) / 1000, 0);
const watching = () => !line || ["waiting", "away", "called"].includes(line.dataset.mode);

document.addEventListener("visibilitychange", looked);
addEventListener("online", () => failures && atOnce());
addEventListener("pageshow", (event) => event.persisted && looked());
if (line && element("updated").dateTime) showTime(element("updated").dateTime);
if (watching()) {
  if (line?.dataset.mode === "called") later(0, 0);
  else later(line ? Number(line.dataset.poll) : 10);
}
