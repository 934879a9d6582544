// Before anything else: does the listener hear anything at all?

import { h } from "./dom";
import type { Engine } from "./engine";
import { mainButton, show } from "./stage";
import { t } from "./texts";

const SECONDS = 1.6;
const LEVEL = 0.1;
const TONES_HZ = [523.25, 659.25, 783.99];

// Resolves once the listener says that the sound was heard.
export async function soundTest(root: HTMLElement, engine: Engine): Promise<void> {
  const play = h("button", { type: "button", class: "play large" }, t("sound_play"));
  const heard = mainButton(t("sound_yes"));
  const nothing = h("button", { type: "button", disabled: true }, t("sound_no"));
  const advice = h("div", { role: "alert", class: "advice" });
  heard.disabled = true;
  const say = (...lines: string[]) => {
    advice.replaceChildren(...lines.map((line) => h("p", {}, line)));
  };

  const sound = async () => {
    if (play.getAttribute("aria-pressed") === "true") return;
    say();
    if (!(await engine.runs())) {
      say(t("no_sound"), t("sound_hints"));
      nothing.disabled = false;
      return;
    }
    heard.disabled = false;
    nothing.disabled = false;
    play.setAttribute("aria-pressed", "true");
    await engine.sound(chime(engine.sampleRate));
    play.setAttribute("aria-pressed", "false");
  };
  play.addEventListener("click", () => void sound());
  nothing.addEventListener("click", () => say(t("sound_hints")));

  show(
    root,
    t("sound_title"),
    h("p", {}, t("sound_text")),
    h("div", { class: "row" }, play),
    advice,
    h("div", { class: "row" }, nothing, heard),
  );
  await new Promise<void>((resolve) => heard.addEventListener("click", () => resolve()));
}

// Three tones that rise and fade, so that neither hiss nor hum is taken for them.
function chime(sampleRate: number): Float32Array<ArrayBuffer> {
  const wave = new Float32Array(Math.round(SECONDS * sampleRate));
  const each = wave.length / TONES_HZ.length;
  for (let k = 0; k < wave.length; k++) {
    const place = Math.min(TONES_HZ.length - 1, Math.floor(k / each));
    const inside = (k - place * each) / each;
    const rise = Math.min(1, inside * 40);
    const envelope = rise * Math.exp(-3 * inside) * Math.min(1, (1 - inside) * 20);
    wave[k] = LEVEL * envelope * Math.sin((2 * Math.PI * TONES_HZ[place]! * k) / sampleRate);
  }
  return wave;
}
