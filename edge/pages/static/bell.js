// A sound, for those who ask for it: pressing the button is what lets the browser play it later.
import { element, news, show } from "./page.js";

let audio = null;
let on = false;

// Whether somebody listens, so that the page goes on asking while nobody looks.
export const listening = () => on;

// Rings, where somebody asked for it.
export function ring() {
  if (!on) return;
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
}

const button = element("sound");
if (button && "AudioContext" in window) {
  button.hidden = false;
  button.addEventListener("click", () => {
    on = !on;
    button.setAttribute("aria-pressed", on);
    show("sound-on", on);
    if (!on) return;
    audio ??= new AudioContext();
    ring();
    news(element("sound-on").textContent);
  });
}
