// Times and lengths, said as origin/words.py says them, on the clock of the visitor.
const language = document.documentElement.lang;

export const unit = (value, name) => new Intl.NumberFormat(language, { numberingSystem: "latn", style: "unit", unit: name, unitDisplay: "long" }).format(value);
export const fill = (text, time) => text.replace("{time}", time);
export const clock = (moment) => new Date(moment).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", numberingSystem: "latn" });
