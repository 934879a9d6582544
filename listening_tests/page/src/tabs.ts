// One tab at a time: a session that is opened in another tab goes on there.

import { memory, uuid } from "./backend";

// Says that this tab has the session now; ``lost`` is called once another one takes it.
export function holdSession(place: string, lost: () => void): void {
  const mine = uuid();
  const key = `tab of ${place}`;
  memory.set(key, mine);
  const watch = (event: StorageEvent) => {
    if (event.key !== key || event.newValue === null || event.newValue === mine) return;
    window.removeEventListener("storage", watch);
    lost();
  };
  window.addEventListener("storage", watch);
}
