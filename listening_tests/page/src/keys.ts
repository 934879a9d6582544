// Keys of a page, and the time since it was shown.

// Keys that no control of the page wants for itself.
export function onKeys(signal: AbortSignal, act: (key: string, event: KeyboardEvent) => void): void {
  document.addEventListener(
    "keydown",
    (event) => {
      // Brackets need AltGr, or Option, on many keyboards.
      const third = event.getModifierState("AltGraph") || "[]".includes(event.key);
      if ((event.ctrlKey || event.altKey || event.metaKey) && !third) return;
      const target = event.target as HTMLElement;
      if (target.closest("textarea, select, input[type=text], dialog")) return;
      if (event.key === " " && target.closest("button, a, summary, input")) {
        if (!target.matches("input[type=range]")) return;
      }
      if (event.key === " ") event.preventDefault();
      act(event.key, event);
    },
    { signal },
  );
}

export function since(started: number): number {
  return Math.round(performance.now() - started);
}
