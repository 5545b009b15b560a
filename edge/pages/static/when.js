// The time until the line opens, counted by the server's clock: a device's own may be wrong by hours.
import { element, show, texts } from "./page.js";
import { leftWords, momentWords } from "./words.js";

let offset = 0; // what the server's clock shows, less performance.now(), in ms
let ticking = 0;
let at = 0;

const now = () => performance.now() + offset;

// Seconds left until the moment; 0 where there is none to come.
export const left = () => (at ? Math.max(0, at - now()) / 1000 : 0);

// The server says what time it is, and what moment everybody waits for, if any.
export function expect(asOf, moment, receivedAt = performance.now()) {
  offset = Date.parse(asOf) - receivedAt;
  at = moment ? Date.parse(moment) : 0;
  show("when", at > 0);
  clearInterval(ticking);
  if (!at || !element("when")) return;
  element("at").dateTime = moment;
  element("at").textContent = momentWords(moment);
  ticking = setInterval(tick, 1000);
  tick();
}

function tick() {
  const text = left() > 0 ? leftWords(left()) : texts.now;
  if (element("left").textContent !== text) element("left").textContent = text;
}

const { now: asOf } = element("when")?.dataset ?? {};
if (asOf) expect(asOf, element("at").dateTime, performance.getEntriesByType("navigation")[0]?.responseStart ?? 0);
