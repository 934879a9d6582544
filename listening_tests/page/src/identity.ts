// Whose session a browser goes on with: ids of crowd platforms and listener numbers in the address.

import { memory } from "./backend";

const PLATFORM = ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "assignmentId", "hitId", "workerId"];
// Ids of a person, not of a visit.
const PERSONS = ["PROLIFIC_PID", "workerId"];
const LONGEST_NUMBER = 40;

export interface Identity {
  platform: Record<string, string>;
  listener: string;
}

// The ids are read from the address, then taken out of it: nobody passes them on with it.
export function takeIdentity(): Identity {
  const query = new URLSearchParams(location.search);
  const platform: Record<string, string> = {};
  for (const name of PLATFORM) {
    const value = query.get(name);
    if (value) platform[name] = value.slice(0, 200);
    query.delete(name);
  }
  const listener = (query.get("listener") ?? "").trim().slice(0, LONGEST_NUMBER);
  query.delete("listener");
  if (Object.keys(platform).length || listener) {
    const rest = query.toString();
    history.replaceState(null, "", location.pathname + (rest ? `?${rest}` : ""));
  }
  return { platform, listener };
}

// Where a browser keeps the token of a person; another person has another place. Who comes without
// any id is whoever was here last.
export function placeOf(base: string, { platform, listener }: Identity): string {
  const person = PERSONS.map((name) => platform[name]).find(Boolean) ?? listener;
  if (person) memory.set(`${base} current`, digest(person));
  const current = memory.get(`${base} current`);
  return current ? `${base} ${current}` : base;
}

export function forgetCurrent(base: string): void {
  memory.set(`${base} current`, null);
}

// 53 bits; the id itself is not kept. (crypto.subtle is absent where the page comes by plain HTTP.)
function digest(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let k = 0; k < text.length; k++) {
    const code = text.charCodeAt(k);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}
