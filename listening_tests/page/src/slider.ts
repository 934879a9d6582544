// A slider of our own: browsers draw, measure and speak upright range inputs each in their own way.
//
// Pointer: a press anywhere on it sets the value, a drag moves it. Keyboard: arrows by one step,
// with Shift by ten, Page keys by ten, Home and End. Screen readers get role, bounds, value and
// words. It lies where its box is wider than high, and stands otherwise.

import { h } from "./dom";
import { t } from "./texts";

// Half of the handle, in CSS px: page.css draws it, and both ends can be reached with it.
const HALF_HANDLE = 14;

export interface SliderOptions {
  label: string;
  low: number;
  high: number;
  step: number;
  // What a value is called.
  words: (value: number) => string;
  // A value as it is written, such as 4.3.
  shown: (value: number) => string;
}

export class Slider {
  readonly element: HTMLElement;
  // Null until it is touched: unrated is no grade.
  value: number | null = null;
  onchange: () => void = () => {};
  private readonly handle: HTMLElement;
  private open = true;

  constructor(private readonly options: SliderOptions) {
    this.handle = h("span", { class: "handle", "aria-hidden": "true" });
    this.element = h(
      "div",
      {
        class: "slider",
        role: "slider",
        tabindex: 0,
        "aria-label": options.label,
        "aria-valuemin": options.low,
        "aria-valuemax": options.high,
      },
      h("span", { class: "track", "aria-hidden": "true" }),
      this.handle,
    );
    this.element.addEventListener("pointerdown", (event) => this.press(event));
    this.element.addEventListener("pointermove", (event) => this.drag(event));
    this.element.addEventListener("keydown", (event) => {
      if (this.key(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    });
    this.draw();
  }

  get disabled(): boolean {
    return !this.open;
  }

  set disabled(closed: boolean) {
    if (this.open !== closed) return;
    this.open = !closed;
    this.element.setAttribute("aria-disabled", String(closed));
  }

  // Move by a number of steps, from the middle where it was not touched yet.
  move(steps: number): void {
    const { low, high, step } = this.options;
    this.set((this.value ?? (low + high) / 2) + steps * step);
  }

  set(wanted: number): void {
    if (this.disabled) return;
    const { low, high, step } = this.options;
    const steps = Math.round((Math.min(high, Math.max(low, wanted)) - low) / step);
    this.value = Number((low + steps * step).toFixed(6));
    this.draw();
    this.onchange();
  }

  // A key that means something to a slider; true if it was of use.
  key(event: KeyboardEvent): boolean {
    // What is closed leaves its keys to the one that is being heard.
    if (this.disabled || event.ctrlKey || event.altKey || event.metaKey) return false;
    const { low, high } = this.options;
    const by = event.shiftKey ? 10 : 1;
    const steps: Record<string, number> = {
      ArrowUp: by,
      ArrowRight: by,
      ArrowDown: -by,
      ArrowLeft: -by,
      PageUp: 10,
      PageDown: -10,
    };
    if (event.key in steps) this.move(steps[event.key]!);
    else if (event.key === "Home") this.set(low);
    else if (event.key === "End") this.set(high);
    else return false;
    return true;
  }

  // To be called where the layout may have turned it.
  draw(): void {
    const { low, high, words, shown } = this.options;
    const { element, value } = this;
    const rated = value !== null;
    element.classList.toggle("unrated", !rated);
    const share = ((value ?? (low + high) / 2) - low) / (high - low);
    this.handle.style.setProperty("--share", String(share));
    this.handle.textContent = rated ? shown(value) : "";
    element.setAttribute("aria-orientation", this.lies() ? "horizontal" : "vertical");
    element.setAttribute("aria-valuenow", String(value ?? (low + high) / 2));
    element.setAttribute(
      "aria-valuetext",
      rated ? `${shown(value)}, ${words(value)}` : t("not_rated"),
    );
  }

  private lies(): boolean {
    const box = this.element.getBoundingClientRect();
    return box.width > box.height;
  }

  private press(event: PointerEvent): void {
    if (this.disabled || event.button !== 0) return;
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.follow(event);
  }

  private drag(event: PointerEvent): void {
    if (this.element.hasPointerCapture(event.pointerId)) this.follow(event);
  }

  private follow(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const length = (this.lies() ? box.width : box.height) - 2 * HALF_HANDLE;
    const along = this.lies() ? event.clientX - box.left : box.bottom - event.clientY;
    const { low, high } = this.options;
    this.set(low + ((along - HALF_HANDLE) / length) * (high - low));
  }
}
