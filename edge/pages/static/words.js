// Numbers, waits and times as people say them: the same rounding as shared/web/words.py and edge/timetable.py.
import { language, texts } from "./page.js";

const figures = { numberingSystem: "latn", useGrouping: "always" };
export const count = new Intl.NumberFormat(language, figures);
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const unit = (value, name, unitDisplay = "long") =>
  new Intl.NumberFormat(language, { ...figures, style: "unit", unit: name, unitDisplay }).format(value);

export const minutes = (value) => unit(value, "minute", "short");

function length(value) {
  const hours = Math.floor(value / 60);
  const parts = hours ? [unit(hours, "hour")] : [];
  if (value % 60 || !hours) parts.push(unit(value % 60, "minute"));
  return parts.join(" ");
}

function rounded(seconds, towards) {
  const value = Math.max(0, seconds) / 60;
  const step = value < 30 ? 1 : value < 90 ? 5 : 15;
  return towards(value / step) * step;
}

export function waitWords(expected) {
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

// What is left of a time in its two largest units; seconds are counted in the last hour only.
export function leftWords(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 3600) {
    const parts = whole >= 60 ? [unit(Math.floor(whole / 60), "minute")] : [];
    return [...parts, unit(whole % 60, "second")].join(" ");
  }
  if (whole < 86400) return length(Math.ceil(whole / 60));
  const hours = Math.ceil(whole / 3600);
  return [unit(Math.floor(hours / 24), "day"), ...(hours % 24 ? [unit(hours % 24, "hour")] : [])].join(" ");
}

// Times as in the visitor's own region, where it speaks the page's language.
const region = navigator.languages?.find((code) => code.split("-")[0] === language) ?? language;
const said = (moment, options) => new Date(moment).toLocaleString(region, { numberingSystem: "latn", ...options });
export const timeWords = (moment) => said(moment, { hour: "numeric", minute: "2-digit" });
export const exactTimeWords = (moment) => said(moment, { timeStyle: "medium" });
export const momentWords = (moment) =>
  said(moment, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit", timeZoneName: "short" });
