// Solves the room's challenge (ALTCHA v2, SHA-256): finds the counter whose digest of salt, nonce and counter begins as told.
// One file for both sides: the page, and the worker that keeps the page free. Where there is no worker the page does it.
const LEAP = 4096; // hashes between two looks at the clock
const fraction = (root) => ((root % 1) * 2 ** 32) | 0;
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
const START = primes.slice(0, 8).map((p) => fraction(p ** (1 / 2)));
const ROUND = Int32Array.from(primes, (p) => fraction(p ** (1 / 3)));
const words = (hex) => hex.match(/.{8}/g).map((word) => parseInt(word, 16) | 0);

// The digest of one block of 36 bytes as eight words; `w` begins with the block and is used up.
function digest(w, h) {
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, k] = START;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (k + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    k = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, k].forEach((word, i) => (h[i] = (word + START[i]) | 0));
}

// Looks at LEAP counters at a time; yields how many it has seen, returns the solution, or null where there is none.
function* search({ salt, nonce, keyPrefix, data }) {
  const block = [...words(salt), ...words(nonce)];
  const wanted = words(keyPrefix);
  const w = new Int32Array(64), h = new Int32Array(8);
  for (let counter = 0; counter <= data.limit; counter++) {
    w.set(block);
    w[8] = counter;
    w[9] = 1 << 31;
    w.fill(0, 10, 15);
    w[15] = 36 * 8;
    digest(w, h);
    if (wanted.every((word, i) => h[i] === word)) {
      const hex = Array.from(h, (word) => (word >>> 0).toString(16).padStart(8, "0"));
      return { counter, derivedKey: hex.join("") };
    }
    if (counter % LEAP === LEAP - 1) yield counter;
  }
  return null;
}

function worker() {
  onmessage = ({ data: parameters }) => {
    const steps = search(parameters);
    let step;
    while (!(step = steps.next()).done) postMessage({ seen: step.value });
    postMessage({ solution: step.value });
  };
}

function solveApart(parameters, seen) {
  return new Promise((solved, failed) => {
    const apart = new Worker(import.meta.url, { type: "module" });
    apart.onmessage = ({ data }) => ("solution" in data ? solved(data.solution) : seen(data.seen));
    apart.onerror = failed;
    apart.postMessage(parameters);
  });
}

async function solveHere(parameters, seen) {
  const steps = search(parameters);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    seen(step.value);
    await new Promise((go) => setTimeout(go));
  }
}

function page(form) {
  const field = form.elements.challenge;
  const told = document.getElementById("proof");
  const instead = document.getElementById("instead");
  const share = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  let busy = false;
  let quarter = -1;

  function progress(done) {
    if (Math.floor(done * 4) === quarter) return; // a screen reader says each of these
    quarter = Math.floor(done * 4);
    told.textContent = told.dataset.text.replace("{share}", share.format(quarter / 4));
  }

  async function solution() {
    const answer = await fetch(form.dataset.challenge, { cache: "no-store", headers: { accept: "application/json" } });
    if (answer.status !== 200) return "";
    const challenge = await answer.json();
    const seen = (counter) => progress(Math.min(0.99, (counter * 4) / (3 * challenge.parameters.data.limit)));
    const found = await solveApart(challenge.parameters, seen).catch(() => solveHere(challenge.parameters, seen));
    return found ? btoa(JSON.stringify({ challenge, solution: found })) : "";
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.querySelector("button").setAttribute("aria-disabled", "true");
    progress(0);
    setTimeout(() => (instead.hidden = false), 4000);
    field.value = await solution().catch(() => ""); // without one, the server shows the way without
    form.submit();
  });
  instead.addEventListener("click", () => {
    field.value = "";
    form.submit();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

if (typeof document === "undefined") worker();
else page(document.getElementById("join"));
