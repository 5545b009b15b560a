// Asking: one request at a time, one timer, no more often than told, and never while nobody looks or listens.
import { address, element, line, news } from "./page.js";
import { listening } from "./bell.js";

let timer = 0;
let notBefore = 0; // what Retry-After asked for
let failures = 0;
let asking = null;
let act = () => {};

export const resting = () => document.hidden && !listening();

// What is done when it is time: `act` asks with `request`, and says with `later` when to come again.
export const start = (given) => (act = given);

export function later(seconds, spread = 0.25) {
  const wait = seconds * 1000 * (1 + Math.random() * spread);
  clearTimeout(timer);
  if (!resting()) timer = setTimeout(run, wait);
}

export const atOnce = () => later(Math.max(0, notBefore - performance.now()) / 1000, 0);

async function run() {
  if (resting() || asking) return;
  try {
    await act();
  } catch {
    if (!resting()) away(null);
  }
}

export async function request(path, options = {}) {
  asking = new AbortController();
  const limit = setTimeout(() => asking?.abort(), 15000);
  try {
    const answer = await fetch(address + path, { cache: "no-store", headers: { accept: "application/json" }, signal: asking.signal, ...options });
    if (answer.ok) failures = 0;
    return answer;
  } finally {
    clearTimeout(limit);
    asking = null;
  }
}

// Comes again after what the answer asks for.
export function again(answer, otherwise) {
  const told = Number(answer?.headers.get("Retry-After")) || otherwise;
  notBefore = performance.now() + told * 1000;
  later(told);
}

// There was no answer that helps: each time a little later, up to a minute.
export function away(answer) {
  failures += 1;
  const told = Number(answer?.headers.get("Retry-After")) || 0;
  if (line && (!answer || answer.status >= 500) && failures > 1) {
    element("away").hidden = false;
    news(element("away").textContent);
  }
  notBefore = performance.now() + told * 1000;
  later(Math.max(told, Math.min(60, 2 ** failures)), 0.5);
}

export function rest() {
  clearTimeout(timer);
  asking?.abort();
}

addEventListener("online", () => failures && atOnce());
