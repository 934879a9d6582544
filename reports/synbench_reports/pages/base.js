"use strict";
// Everything that comes from a run is text of strangers: it is set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const MARKERS = ["circle", "square", "diamond", "triangle", "cross", "down", "plus", "ring"];
const DASHES = ["", "6 3", "2 2", "8 3 2 3"];
const COLOURS = 7;
const ARROWS = { up: "↑", down: "↓", "": "" };
const NOTES_SHOWN = 2;
const NOTHING = "–";

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.includes("-") || key === "role" || key === "scope" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const byId = (name) => document.getElementById(name);
const fixed = (value, decimals) => value === null || value === undefined ? NOTHING : value.toFixed(decimals);
// An error rate is a share in the data and in per cent on the page.
const isShare = (metric) => metric.pooling === "weighted_mean" && !metric.unit;
const unitOf = (metric) => isShare(metric) ? "%" : metric.unit;
const scaled = (value, metric) => isShare(metric) ? Number((100 * value).toPrecision(12)) : value;
const scoreText = (value, metric) => value === null || value === undefined ? NOTHING : fixed(scaled(value, metric), metric.decimals - (isShare(metric) ? 2 : 0));

function significant(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value === 0) return "0";
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
}

function compare(x, y, up) {
  const empty = (value) => value === null || value === undefined || value === "";
  if (empty(x) || empty(y)) return empty(x) - empty(y); // empty cells stay last
  const order = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
  return up ? order : -order;
}

// The board of the same speech as recorded; two runs may call different speech by one name.
function baseOf(boards, board) {
  if (!board.clean) return board;
  const named = boards.filter((one) => !one.clean && one.corpus === board.clean);
  return named.find((one) => one.runs.some((run) => board.runs.includes(run))) ?? named[0] ?? board;
}

// What a page is made of: parts beside it that are loaded when they are asked for, or inside it.
const parts = new Map();
const waiting = new Map();

function synbench(name, value) {
  parts.set(name, value);
  waiting.get(name)?.(value);
}

function load(name) {
  if (parts.has(name)) return Promise.resolve(parts.get(name));
  const inside = document.querySelector(`script[data-part="${name}"]`);
  if (inside) {
    parts.set(name, JSON.parse(inside.textContent));
    return Promise.resolve(parts.get(name));
  }
  return new Promise((resolve, reject) => {
    waiting.set(name, resolve);
    const script = element("script", { src: `data/${name}.js` });
    script.addEventListener("error", () => reject(new Error(`data/${name}.js is absent`)));
    document.head.append(script);
  });
}

// Columns of whole numbers in one text each, see item_parts.py.
function numbers(part) {
  part.values ??= part.columns.map((text) => {
    const column = text.split(",");
    return column.map((number) => number === "" ? null : Number(number) / part.scale);
  });
  return part.values;
}

function sortable(table, state = {}) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, place) => head.querySelector("button")?.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    Object.assign(state, { place, up });
    sortRows(table, place, up);
  }));
}

function sortRows(table, place, up) {
  const value = (row) => {
    const text = row.cells[place].dataset.value;
    return row.cells[place].dataset.kind === "text" ? text : text === "" ? null : Number(text);
  };
  const rows = [...table.tBodies[0].rows].sort((a, b) => compare(value(a), value(b), up));
  table.tBodies[0].append(...rows);
}

function region(label, child) {
  return element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": label }, child);
}

function notes(list, level) {
  const lines = list.filter((note) => note.level === level).map((note) => element("li", { className: level },
    level === "warning" ? element("b", { textContent: "Warning. " }) : null,
    note.mark ? element("sup", { textContent: note.mark }) : null,
    element("b", { textContent: note.subject }), `: ${note.text}`));
  if (lines.length <= NOTES_SHOWN + 1) return lines.length ? element("ul", { className: "notes" }, ...lines) : null;
  // Many warnings must not push away what they are about.
  return element("div", {}, element("ul", { className: "notes" }, ...lines.slice(0, NOTES_SHOWN)),
    element("details", {}, element("summary", { textContent: `${lines.length - NOTES_SHOWN} more ${level}s` }), element("ul", { className: "notes" }, ...lines.slice(NOTES_SHOWN))));
}
