// The page's parts, and what every module needs of it.
export const element = (id) => document.getElementById(id);
export const line = element("line");
export const door = element("door");
export const language = document.documentElement.lang;
export const texts = JSON.parse(element("texts").textContent);
const room = encodeURIComponent((line ?? door).dataset.room);
export const address = `/v1/rooms/${room}`;

// To the room's page, new from the server: it knows what to say. Not a reload, which would send a form again.
export const home = () => location.replace(`/rooms/${room}`);

export const show = (id, shown) => element(id) && (element(id).hidden = !shown);

// Says something to those who do not see it; the same is said once, and what can wait no more than once a minute.
let last = { text: "", at: -Infinity };

export function news(text, atOnce = true) {
  const now = performance.now();
  if (text === last.text || (!atOnce && now - last.at < 60000)) return;
  last = { text, at: now };
  element("news").textContent = text.trim().replace(/\s+/g, " ");
}
