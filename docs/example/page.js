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

// Tables of a board: scores, groups, costs, robustness, agreement, published values.

function heading(text, small, mark) {
  return element("th", { scope: "col" }, element("button", { type: "button" }, text,
    mark ? element("sup", { textContent: mark }) : null,
    small ? element("small", { textContent: ` ${small}` }) : null));
}

function metricHeading(metric) {
  return heading(metric.label, [unitOf(metric), ARROWS[metric.direction]].filter(Boolean).join(" "));
}

function rate(row, codec) {
  return row.payload_kbps ?? codec.nominal_kbps;
}

function rateCell(row, codec) {
  const value = codec.kind === "anchor" ? null : rate(row, codec);
  const cell = element("td", {}, value === null ? NOTHING : value.toFixed(2));
  cell.dataset.value = value ?? "";
  if (value !== null && row.payload_kbps === null) {
    cell.append(element("small", { textContent: " nominal", title: "declared, no bits were counted" }));
  }
  return cell;
}

function scoreCell(score, metric) {
  const cell = element("td");
  cell.dataset.value = score?.mean ?? "";
  if (!score || score.mean === null) {
    cell.append(score?.note || NOTHING);
    if (score?.planned) cell.append(element("small", { textContent: ` (${score.scored}/${score.planned})` }));
    return cell;
  }
  const kind = score.best ? "best" : score.second ? "second" : "";
  cell.append(element("span", { className: kind, textContent: scoreText(score.mean, metric) }));
  if (score.tied) cell.append("~");
  if (score.letters) cell.append(element("sup", { className: "letters", textContent: score.letters }));
  if (score.low !== null) {
    const half = (score.high - score.low) / 2;
    cell.append(element("small", { className: "interval", textContent: ` ± ${scoreText(half, metric)}` }));
  }
  if (score.scored !== score.planned) {
    cell.append(element("small", { textContent: ` (${score.scored}/${score.planned})` }));
  }
  return cell;
}

function codecHead(view, row) {
  const codec = view.codec(row);
  const head = element("th", { scope: "row" }, codec.label,
    row.mark ? element("sup", { textContent: row.mark }) : null);
  if (view.board.runs.length > 1) {
    head.append(element("small", { className: "owner", textContent: view.document.runs[row.run].name }));
  }
  head.dataset.value = codec.label;
  head.dataset.kind = "text";
  return head;
}

function rowClass(view, row) {
  const kinds = [view.codec(row).kind === "anchor" ? "anchor" : "", view.run === row.run ? "chosen" : ""];
  return kinds.filter(Boolean).join(" ");
}

function scoreTable(view, metrics) {
  const head = element("tr", {}, heading("Codec"), heading("Rate", "kbit/s"),
    ...metrics.map((place) => metricHeading(view.metrics[place])));
  const body = view.board.rows.map((row) => element("tr", { className: rowClass(view, row) },
    codecHead(view, row), rateCell(row, view.codec(row)),
    ...metrics.map((place) => scoreCell(row.scores[place], view.metrics[place]))));
  return element("table", { className: "sortable scoretable" }, element("thead", {}, head),
    element("tbody", {}, ...body));
}

// No metric may be out of sight on a desk: smaller first, then without intervals, then in parts.
function showScores(view, target) {
  const known = view.metrics.map((_, place) => place)
    .filter((place) => view.board.rows.some((row) => row.scores[place].mean !== null));
  const wide = matchMedia("(min-width: 60rem)").matches;
  const label = `Scores on ${view.board.corpus}`;
  for (let count = 1; count <= Math.max(1, known.length); count += 1) {
    const size = Math.ceil(known.length / count);
    const tables = Array.from({ length: count }, (_, part) =>
      scoreTable(view, known.slice(part * size, (part + 1) * size)));
    for (const kind of ["", "dense", "dense bare"]) {
      tables.forEach((table) => { table.className = `sortable scoretable ${kind}`; });
      target.replaceChildren(...tables.map((table, part) =>
        region(count > 1 ? `${label}, part ${part + 1}` : label, table)));
      const fits = [...target.children].every((box) => box.scrollWidth <= box.clientWidth + 1);
      if (fits || !wide || !target.offsetParent) { tables.forEach(orderTable); return; }
    }
  }

  function orderTable(table) {
    sortable(table);
    if (!view.ranked) return;
    const head = [...table.tHead.rows[0].cells].findIndex((cell) =>
      cell.querySelector("button").firstChild.textContent === view.metrics[view.metric]?.label);
    if (head < 2) return;
    const up = view.metrics[view.metric].direction === "down";
    table.tHead.rows[0].cells[head].setAttribute("aria-sort", up ? "ascending" : "descending");
    sortRows(table, head, up);
  }
}

function simpleTable(label, heads, rows, className = "sortable") {
  const head = element("tr", {}, ...heads.map((text) => Array.isArray(text) ? heading(...text) : heading(text)));
  const table = element("table", { className }, element("thead", {}, head), element("tbody", {}, ...rows));
  sortable(table);
  return region(label, table);
}

function numberCell(value, text) {
  const cell = element("td", { textContent: text });
  cell.dataset.value = value ?? "";
  return cell;
}

function textCell(text) {
  const cell = element("td", { textContent: text, className: "text" });
  cell.dataset.value = text;
  cell.dataset.kind = "text";
  return cell;
}

const GROUP_NAMES = { gender: "Gender", language: "Language", length: "Length", speaker: "Speaker", voicing: "Voicing" };

function showGroups(view, target) {
  const metric = view.metrics[view.metric];
  const children = [];
  for (const grouping of view.board.groups) {
    const scores = grouping.scores.filter((score) => score.metric === view.metric);
    if (!scores.length) continue;
    const name = GROUP_NAMES[grouping.by] ?? grouping.by;
    const all = scores[0].means !== undefined;
    const group = (place) => grouping.groups[place];
    const shown = all ? grouping.groups.map((one) => [one.name, `${one.items} items`]) : [["Best"]];
    const rows = scores.map((score) => {
      const row = view.board.rows[score.codec];
      const cells = all ? score.means.map((mean, place) => {
        const half = score.low[place] === null ? null : (score.high[place] - score.low[place]) / 2;
        const text = scoreText(mean, metric) + (half === null ? "" : ` ± ${scoreText(half, metric)}`);
        const cell = numberCell(mean, text);
        if (place === score.worst) cell.className = "worst";
        return cell;
      }) : [numberCell(score.best_mean, `${scoreText(score.best_mean, metric)} (${group(score.best).name})`)];
      const worst = numberCell(score.worst_mean,
        `${scoreText(score.worst_mean, metric)} (${group(score.worst).name})`);
      const gap = Math.abs(score.best_mean - score.worst_mean);
      return element("tr", { className: rowClass(view, row) }, codecHead(view, row), ...cells, worst,
        numberCell(gap, scoreText(gap, metric)));
    });
    children.push(element("h3", { textContent: `${name}: ${grouping.groups.length} groups` }),
      simpleTable(`${metric.label} by ${name}`, ["Codec", ...shown, ["Worst group"], ["Gap", "best − worst"]], rows));
    const counts = {};
    for (const score of scores) {
      if (view.codec(view.board.rows[score.codec]).kind === "anchor") continue;
      counts[group(score.worst).name] = (counts[group(score.worst).name] ?? 0) + 1;
    }
    const most = Object.entries(counts).sort((a, b) => b[1] - a[1])[0];
    if (most) {
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      children.push(element("p", { className: "hint worstgroup" }, "Worst of all: ", element("b", { textContent: most[0] }),
        `, for ${most[1]} of ${total} codecs by ${metric.label}. Some group is always the worst; read it with its interval and its number of items.`));
    }
  }
  if (view.board.voicing) children.push(...voicingTable(view));
  if (!children.length) children.push(element("p", { textContent: "The items of this speech name no gender, language or speaker with several items, and are too few to be grouped by length." }));
  target.replaceChildren(...children);
}

function voicingTable(view) {
  const voicing = view.board.voicing;
  const rows = voicing.rows.map((entry) => {
    const row = view.board.rows[entry.codec];
    const known = entry.means.filter((mean) => mean !== null);
    const worst = entry.means.indexOf(Math.max(...known));
    return element("tr", { className: rowClass(view, row) }, codecHead(view, row),
      ...entry.means.map((mean, place) => {
        const cell = numberCell(mean, fixed(mean, 1));
        if (place === worst) cell.className = "worst";
        return cell;
      }), textCell(known.length ? voicing.classes[worst] : NOTHING));
  });
  return [element("h3", { textContent: "Voicing" }),
    element("p", { className: "hint", textContent: `Log spectral distance from the original in dB, less is better; ${voicing.items} items.` }),
    simpleTable("Distance by voicing", ["Codec", ...voicing.classes.map((name) => [name, "dB ↓"]), ["Worst group"]], rows)];
}

function showCosts(view, target) {
  const coded = view.board.rows.filter((row) => view.codec(row).kind !== "anchor");
  const known = ({ giga_macs: macs, mega_parameters: parameters }) => macs !== null || parameters !== null;
  const rows = coded.filter((row) => Object.values(row.costs).some((cost) => cost !== null) || known(view.codec(row)));
  const counted = rows.some((row) => known(view.codec(row)));
  const body = rows.map((row) => {
    const codec = view.codec(row);
    const cells = ["encode_rtf_cpu", "decode_rtf_cpu", "encode_rtf_wall", "decode_rtf_wall"]
      .map((name) => numberCell(row.costs[name], significant(row.costs[name])));
    const more = counted ? [numberCell(codec.giga_macs, significant(codec.giga_macs)),
      numberCell(codec.mega_parameters, significant(codec.mega_parameters))] : [];
    return element("tr", { className: rowClass(view, row) }, codecHead(view, row), ...cells, ...more);
  });
  const heads = [["Codec"], ["Encode", "CPU s per s"], ["Decode", "CPU s per s"], ["Encode", "wall s per s"], ["Decode", "wall s per s"]];
  if (counted) heads.push(["10⁹ MAC", "for 1 s"], ["Parameters", "10⁶"]);
  const machines = new Set(view.board.runs.map((run) => view.document.runs[run].processor));
  const counts = coded.map((row) => element("tr", {}, codecHead(view, row),
    ...Object.values(row.counts).map((count) => numberCell(count, String(count)))));
  const names = Object.keys(coded[0]?.counts ?? {}).map((name) => [name.replace("_", " ")]);
  target.replaceChildren(costChart(view) ?? "",
    simpleTable("Computing time", heads, body),
    element("p", { className: "hint", textContent: `Measured on ${[...machines].join("; ")}${machines.size > 1 ? ": times of different machines are not comparable" : ""}. Recordings have no costs.` }),
    element("details", {}, element("summary", { textContent: "How many items were coded and scored" }),
      simpleTable("Counts", [["Codec"], ...names], counts)));
}

function showRobustness(view, target) {
  const board = baseOf(view.document.boards, view.board);
  const damaged = view.document.boards.filter((one) => one !== board && baseOf(view.document.boards, one) === board);
  if (!damaged.length) {
    target.replaceChildren(element("p", { textContent: "No run coded this speech under a condition (noise, rooms, lost frames, bit errors)." }));
    return;
  }
  const metric = view.metrics[view.metric];
  const rows = damaged.map((one) => {
    const cells = board.rows.map((row) => {
      const drop = board.robustness.find((entry) => entry.condition === one.condition
        && entry.metric === metric.column && entry.codec === view.codec(row).label);
      const other = one.rows.find((entry) => entry.codec === row.codec);
      const place = one.metrics.findIndex((index) => view.document.metrics[index].column === metric.column);
      const mean = other?.scores[place]?.mean ?? null;
      const cell = numberCell(mean, scoreText(mean, metric));
      if (drop && drop.drop !== null) {
        cell.append(element("small", { textContent: ` ${drop.drop > 0 ? "−" : "+"}${scoreText(Math.abs(drop.drop), metric)}${drop.p_holm !== null && drop.p_holm < 0.05 ? "*" : ""}` }));
      }
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row", textContent: one.condition }), ...cells);
  });
  for (const row of rows) { row.cells[0].dataset.value = row.cells[0].textContent; row.cells[0].dataset.kind = "text"; }
  target.replaceChildren(...robustnessCharts(view, board, damaged),
    simpleTable(`${metric.label} under conditions`, [["Condition"], ...board.rows.map((row) => [view.codec(row).label])], rows),
    element("p", { className: "hint", textContent: "The small number is the change from the speech as recorded, on the items that both have; * where the test finds one (5 %, Holm over all codecs and conditions)." }));
}

function showAgreement(view, target) {
  const labels = view.metrics.map((metric) => metric.label);
  const { items, codecs } = view.board.correlation;
  const rows = labels.map((label, row) => element("tr", {},
    element("th", { scope: "row", textContent: label }),
    ...labels.map((_, column) => {
      const value = row === column ? null : row > column ? items[row][column] : codecs[row][column];
      const cell = element("td", { textContent: row === column ? "" : value === null ? NOTHING : value.toFixed(2) });
      if (value !== null) cell.style.background = `rgba(${value > 0 ? "0,114,178" : "213,94,0"},${(0.3 * Math.abs(value)).toFixed(2)})`;
      return cell;
    })));
  const head = element("tr", {}, element("th", { scope: "col", textContent: "Metric" }), ...labels.map((text) => element("th", { scope: "col", textContent: text })));
  target.replaceChildren(region("Rank correlation of the metrics",
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))),
    element("p", { className: "hint", textContent: "Spearman's rank correlation, signs turned so that better means higher. Below the diagonal over all items of all codecs, above it over the codecs' numbers in the table." }));
}

function showPublished(view, target) {
  const list = view.document.published;
  if (!list.length) {
    target.replaceChildren(element("p", { textContent: "No published table names a codec of these runs." }));
    return;
  }
  target.replaceChildren(element("p", { className: "hint", textContent: "Quoted from papers, never mixed with what was measured. Where a run has the codec at the paper's rate and sample rate, its number stands below, with what the 95 % interval says of the published one." }),
    ...list.flatMap((table) => {
      const rows = table.rows.flatMap((row) => [
        element("tr", {}, element("th", { scope: "row", textContent: row.codec }), element("td", { textContent: "published", className: "text" }),
          ...row.values.map((value, place) => element("td", { textContent: value.toFixed(table.columns[place].decimals) }))),
        row.measured.some(Boolean) ? element("tr", { className: "measured" }, element("th", { scope: "row", textContent: `${row.codec}, measured` }), element("td", { textContent: "measured", className: "text" }),
          ...row.measured.map((cell, place) => element("td", {}, cell ? cell.mean.toFixed(table.columns[place].decimals) : "",
            cell ? element("small", { textContent: ` ${cell.verdict}, ${cell.items} items` }) : null))) : null,
      ].filter(Boolean));
      const head = element("tr", {}, element("th", { scope: "col", textContent: "Codec" }), element("th", { scope: "col", textContent: "Kind" }),
        ...table.columns.map((column) => element("th", { scope: "col" }, column.label,
          element("small", { textContent: ` ${[column.group, column.bitrate_kbps ? `${column.bitrate_kbps} kbit/s` : "", ARROWS[column.direction]].filter(Boolean).join(", ")}` }))));
      return [element("h3", { textContent: `${table.paper}, table ${table.table}${table.status === "final" ? "" : ` (${table.status})`}` }),
        element("p", { className: "hint", textContent: `${table.caption}. ${table.source}. Weights: ${table.weights}.` }),
        region(`Published table ${table.table} of ${table.paper}`, element("table", { className: "publishedtable" }, element("thead", {}, head), element("tbody", {}, ...rows)))];
    }));
}

// Charts as SVG: in the page's own colours, so that they follow dark mode and print.

// A phone gets a smaller picture, so that its letters stay as large.
const PHONE = innerWidth < 640;
const WIDE = PHONE ? 400 : 760, HIGH = PHONE ? 320 : 400, LEFT = 58, RIGHT = 18, TOP = 14, BOTTOM = 48;

function linear(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function ticks(low, high, wanted = 6) {
  const span = high - low || Math.abs(high) || 1;
  const raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const made = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) made.push(Number(value.toPrecision(12)));
  return made;
}

function logTicks(low, high) {
  const made = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) made.push(value);
    }
  }
  return made.length > 9 ? made.filter((value) => /^1/.test(value.toExponential())) : made;
}

function spread(values, share = 0.06) {
  const low = Math.min(...values), high = Math.max(...values);
  const room = (high - low || Math.abs(high) || 1) * share;
  return [low - room, high + room];
}

function marker(kind, x, y, size = 5) {
  const shapes = {
    circle: () => drawn("circle", { cx: x, cy: y, r: size * 0.9 }),
    ring: () => drawn("circle", { cx: x, cy: y, r: size * 0.8, fill: "none", "stroke-width": 2 }),
    square: () => drawn("rect", { x: x - size * 0.8, y: y - size * 0.8, width: size * 1.6, height: size * 1.6 }),
    diamond: () => drawn("path", { d: `M${x} ${y - size * 1.2}L${x + size * 1.2} ${y}L${x} ${y + size * 1.2}L${x - size * 1.2} ${y}Z` }),
    triangle: () => drawn("path", { d: `M${x} ${y - size * 1.1}L${x + size} ${y + size * 0.8}L${x - size} ${y + size * 0.8}Z` }),
    down: () => drawn("path", { d: `M${x} ${y + size * 1.1}L${x + size} ${y - size * 0.8}L${x - size} ${y - size * 0.8}Z` }),
    cross: () => drawn("path", { d: `M${x - size} ${y - size}L${x + size} ${y + size}M${x - size} ${y + size}L${x + size} ${y - size}`, fill: "none", "stroke-width": 2.4 }),
    plus: () => drawn("path", { d: `M${x - size} ${y}H${x + size}M${x} ${y - size}V${y + size}`, fill: "none", "stroke-width": 2.4 }),
  };
  return shapes[kind]();
}

const style = (number) => ({
  colour: `var(--c${number % COLOURS})`,
  marker: MARKERS[number % MARKERS.length],
  dash: DASHES[Math.floor(number / COLOURS) % DASHES.length],
});

// A frame with grid, ticks and names of both axes; `log` is of the horizontal one.
function frame({ label, xs, ys, xLabel, metric, log, xTicks, height = HIGH }) {
  const x = log
    ? ((inner) => (value) => inner(Math.log10(value)))(linear(Math.log10(xs[0]), Math.log10(xs[1]), LEFT, WIDE - RIGHT))
    : linear(xs[0], xs[1], LEFT, WIDE - RIGHT);
  const y = linear(ys[0], ys[1], height - BOTTOM, TOP);
  const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": label, class: "chart" });
  const ends = [...xs].sort((a, b) => a - b);
  for (const value of ticks(...ys)) {
    svg.append(drawn("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
      Object.assign(drawn("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }), { textContent: String(scaled(value, metric)) }));
  }
  for (const value of xTicks ?? (log ? logTicks(...ends) : ticks(...ends))) {
    svg.append(drawn("line", { x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM, class: "grid" }),
      Object.assign(drawn("text", { x: x(value), y: height - BOTTOM + 18, "text-anchor": "middle" }), { textContent: String(Number(value.toPrecision(3))) }));
  }
  const middle = TOP + (height - BOTTOM - TOP) / 2;
  svg.append(
    Object.assign(drawn("text", { x: (LEFT + WIDE - RIGHT) / 2, y: height - 8, "text-anchor": "middle" }), { textContent: xLabel }),
    Object.assign(drawn("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }), { textContent: axis(metric) }));
  return { svg, x, y };
}

const axis = (metric) => [metric.label, unitOf(metric) ? `(${unitOf(metric)})` : "", ARROWS[metric.direction]].filter(Boolean).join(" ");

function legend(entries) {
  return element("ul", { className: "legend" }, ...entries.map(({ text, number, faint }) => {
    const { colour, marker: kind, dash } = style(number);
    const picture = drawn("svg", { viewBox: "0 0 30 14", width: 30, height: 14, "aria-hidden": "true" },
      drawn("line", { x1: 0, x2: 30, y1: 7, y2: 7, stroke: colour, "stroke-dasharray": dash, "stroke-width": 1.5 }));
    const shape = marker(kind, 15, 7);
    picture.append(painted(shape, colour));
    return element("li", { className: faint ? "faint" : "" }, picture, ` ${text}`);
  }));
}

function painted(shape, colour) {
  if (shape.getAttribute("fill") !== "none") shape.setAttribute("fill", colour);
  shape.setAttribute("stroke", colour);
  return shape;
}

function titled(shape, text) {
  shape.append(Object.assign(drawn("title"), { textContent: text }));
  return shape;
}

function figure(svg, caption, entries) {
  return element("figure", {}, svg, legend(entries), element("figcaption", { textContent: caption }));
}

// Points that would hide each other move aside by the width of a marker.
function dodged(points) {
  const order = [...points].sort((a, b) => a.at - b.at);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && order[end].at - order[start].at < 5) end += 1;
    for (let place = start; place < end; place += 1) order[place].at += (place - start - (end - start - 1) / 2) * 9;
    start = end;
  }
}

function rateChart(view) {
  const metric = view.metrics[view.metric];
  const known = view.board.rows.map((row) => ({ row, codec: view.codec(row), score: row.scores[view.metric] }))
    .filter(({ score }) => score && score.mean !== null);
  const points = known.filter(({ row, codec }) => codec.kind !== "anchor" && rate(row, codec));
  const lines = known.filter((one) => !points.includes(one));
  if (!points.length) return element("p", { textContent: "No codec with a bit rate has a score here." });
  const rates = points.map(({ row, codec }) => rate(row, codec));
  const ends = known.flatMap(({ score }) => [score.mean, score.low ?? score.mean, score.high ?? score.mean]);
  const { svg, x, y } = frame({
    label: `${metric.label} against bit rate`, log: true,
    xs: [Math.min(...rates) / 1.25, Math.max(...rates) * 1.25], ys: spread(ends),
    xLabel: "bit rate (kbit/s, logarithmic)", metric,
  });
  for (const { score, codec } of lines) {
    svg.append(drawn("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(score.mean), y2: y(score.mean), class: "anchorline" }),
      Object.assign(drawn("text", { x: WIDE - RIGHT - 4, y: y(score.mean) - 4, "text-anchor": "end", class: "quiet" }), { textContent: codec.label }));
  }
  for (const point of points) point.at = x(rate(point.row, point.codec));
  dodged(points);
  const curves = new Map();
  for (const point of points) curves.set(point.codec.curve, [...(curves.get(point.codec.curve) ?? []), point]);
  const entries = [];
  [...curves].forEach(([name, members], number) => {
    members.sort((a, b) => rate(a.row, a.codec) - rate(b.row, b.codec));
    const { colour, marker: kind, dash } = style(number);
    const faint = view.run !== null && !members.some((one) => one.row.run === view.run);
    const group = drawn("g", { class: faint ? "faint" : "" });
    const path = members.map((one) => `${one.at} ${y(one.score.mean)}`);
    if (members.length > 1 && members.every((one) => one.score.low !== null)) {
      const band = [...members.map((one) => `${one.at} ${y(one.score.high)}`), ...[...members].reverse().map((one) => `${one.at} ${y(one.score.low)}`)];
      group.append(drawn("path", { d: `M${band.join("L")}Z`, fill: colour, opacity: 0.14 }));
    }
    if (members.length > 1) group.append(drawn("path", { d: `M${path.join("L")}`, fill: "none", stroke: colour, "stroke-width": 1.6, "stroke-dasharray": dash }));
    for (const { at, score, codec, row } of members) {
      if (score.low !== null) group.append(drawn("path", { d: `M${at} ${y(score.low)}V${y(score.high)}`, stroke: colour, "stroke-width": 1.4 }));
      const shape = painted(marker(kind, at, y(score.mean)), colour);
      group.append(titled(shape, `${codec.label}: ${scoreText(score.mean, metric)} at ${rate(row, codec).toFixed(2)} kbit/s`));
    }
    svg.append(group);
    entries.push({ text: members.length === 1 ? members[0].codec.label : members[0].codec.curve_label, number, faint });
  });
  return figure(svg, `${metric.label} against bit rate on ${view.board.corpus}: means with 95 % intervals. Points at one rate stand side by side.`, entries);
}

function costChart(view) {
  const metric = view.metrics[view.metric];
  const points = view.board.rows.map((row) => ({
    row, codec: view.codec(row), score: row.scores[view.metric],
    cost: (row.costs.encode_rtf_cpu ?? 0) + (row.costs.decode_rtf_cpu ?? 0),
  })).filter(({ codec, score, cost }) => codec.kind !== "anchor" && score?.mean !== null && cost > 0);
  if (points.length < 2) return null;
  const costs = points.map(({ cost }) => cost);
  const { svg, x, y } = frame({
    label: `${metric.label} against computing time`, log: true,
    xs: [Math.min(...costs) / 1.4, Math.max(...costs) * 1.4], ys: spread(points.map(({ score }) => score.mean), 0.12),
    xLabel: "CPU seconds of coding and decoding for 1 s (logarithmic)", metric,
  });
  const up = metric.direction !== "down";
  let best = null;
  const front = [...points].sort((a, b) => a.cost - b.cost).filter(({ score }) => {
    const better = best === null || (up ? score.mean > best : score.mean < best);
    if (better) best = score.mean;
    return better;
  });
  const steps = front.map(({ cost, score }, place) => place ? `H${x(cost)}V${y(score.mean)}` : `M${x(cost)} ${y(score.mean)}`);
  svg.append(drawn("path", { d: steps.join(""), fill: "none", class: "front" }));
  const entries = [];
  points.forEach(({ cost, score, codec, row }, number) => {
    const { colour, marker: kind } = style(number);
    const faint = view.run !== null && row.run !== view.run;
    const shape = painted(marker(kind, x(cost), y(score.mean)), colour);
    if (faint) shape.setAttribute("class", "faint");
    svg.append(titled(shape, `${codec.label}: ${scoreText(score.mean, metric)}, ${significant(cost)} s`));
    entries.push({ text: codec.label, number, faint });
  });
  return figure(svg, `${metric.label} against computing time; the dashed steps join what no cheaper codec beats.`, entries);
}

const FEWEST_IN_A_BAND = 5;

function robustnessCharts(view, board, damaged) {
  const metric = view.metrics[view.metric];
  const groups = new Map();
  for (const one of damaged) if (one.condition_value !== null) groups.set(one.condition_group, [...(groups.get(one.condition_group) ?? []), one]);
  const made = [];
  for (const [name, members] of groups) {
    if (new Set(members.map((one) => one.condition_value)).size < 2) continue;
    const score = (one, codec) => {
      const place = one.metrics.findIndex((index) => view.document.metrics[index].column === metric.column);
      const score = one.rows.find((entry) => entry.codec === codec)?.scores[place] ?? null;
      if (!score || score.mean === null) return null;
      // An interval of so few would hide all else.
      return score.scored < FEWEST_IN_A_BAND ? { ...score, low: null, high: null } : score;
    };
    const series = board.rows.map((row) => ({ row, codec: view.codec(row), points: members.map((one) => ({ value: one.condition_value, score: score(one, row.codec) }))
      .filter((point) => point.score).sort((a, b) => a.value - b.value) })).filter((one) => one.points.length > 1);
    if (!series.length) continue;
    const values = [...new Set(members.map((one) => one.condition_value))].sort((a, b) => a - b);
    const axisText = members[0].condition_axis || name;
    const log = values[0] > 0 && values[values.length - 1] / values[0] >= 50;
    // The cleaner end is at the left, as on every other axis.
    const xs = log ? [values[0] / 1.5, values[values.length - 1] * 1.5] : axisText.includes("speech to noise") ? spread(values).reverse() : spread(values);
    const ends = series.flatMap((one) => one.points.flatMap(({ score: s }) => [s.mean, s.low ?? s.mean, s.high ?? s.mean]));
    const { svg, x, y } = frame({ label: `${metric.label} under ${name}`, log, xs, ys: spread(ends), xLabel: `${axisText}${log ? ", logarithmic" : ""}`, metric, height: 320, xTicks: values.length <= 8 ? values : undefined });
    const entries = [];
    series.forEach(({ codec, points }, number) => {
      const { colour, marker: kind, dash } = style(number);
      const sure = points.filter(({ score: s }) => s.low !== null);
      if (sure.length > 1) {
        const band = [...sure.map(({ value, score: s }) => `${x(value)} ${y(s.high)}`), ...[...sure].reverse().map(({ value, score: s }) => `${x(value)} ${y(s.low)}`)];
        svg.append(drawn("path", { d: `M${band.join("L")}Z`, fill: colour, opacity: 0.14 }));
      }
      svg.append(drawn("path", { d: `M${points.map(({ value, score: s }) => `${x(value)} ${y(s.mean)}`).join("L")}`, fill: "none", stroke: colour, "stroke-width": 1.6, "stroke-dasharray": dash }));
      for (const { value, score: s } of points) svg.append(titled(painted(marker(kind, x(value), y(s.mean), 4), colour), `${codec.label}: ${scoreText(s.mean, metric)}`));
      entries.push({ text: codec.label, number });
    });
    made.push(figure(svg, `${metric.label} under ${name}: means with 95 % intervals.`, entries));
  }
  return made;
}

const quantile = (sorted, share) => {
  const place = (sorted.length - 1) * share, low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
};

// Scores of all items per codec: median, quartiles, 5th and 95th percentile, extremes as dots.
function boxChart(view, columns) {
  const metric = view.metrics[view.metric];
  const boxes = view.board.rows.map((row, place) => ({ codec: view.codec(row), values: columns[place].filter((value) => value !== null).sort((a, b) => a - b) }))
    .filter(({ values }) => values.length);
  if (!boxes.length) return element("p", { textContent: "No score." });
  const step = 24, left = PHONE ? 150 : 230, letters = PHONE ? 17 : 32, height = boxes.length * step + TOP + BOTTOM;
  const [low, high] = spread(boxes.flatMap(({ values }) => [values[0], values[values.length - 1]]), 0.03);
  const x = linear(low, high, left, WIDE - RIGHT);
  const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": `${metric.label} of all items`, class: "chart" });
  for (const value of ticks(low, high)) {
    svg.append(drawn("line", { x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM, class: "grid" }),
      Object.assign(drawn("text", { x: x(value), y: height - BOTTOM + 18, "text-anchor": "middle" }), { textContent: String(scaled(value, metric)) }));
  }
  svg.append(Object.assign(drawn("text", { x: (left + WIDE - RIGHT) / 2, y: height - 8, "text-anchor": "middle" }), { textContent: axis(metric) }));
  boxes.forEach(({ codec, values }, place) => {
    const y = TOP + step * (place + 0.5), [p5, q1, q2, q3, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => quantile(values, share));
    const name = codec.label.length > letters ? `${codec.label.slice(0, letters - 1)}…` : codec.label;
    svg.append(Object.assign(drawn("text", { x: left - 8, y: y + 4, "text-anchor": "end" }), { textContent: name }),
      drawn("line", { x1: x(p5), x2: x(p95), y1: y, y2: y, stroke: "currentColor" }),
      titled(drawn("rect", { x: x(q1), y: y - 7, width: Math.max(1, x(q3) - x(q1)), height: 14, fill: "var(--c5)", stroke: "currentColor" }), `${codec.label}: median ${scoreText(q2, metric)} of ${values.length} items`),
      drawn("line", { x1: x(q2), x2: x(q2), y1: y - 7, y2: y + 7, stroke: "currentColor", "stroke-width": 2.5 }),
      drawn("circle", { cx: x(values[0]), cy: y, r: 2, fill: "currentColor" }), drawn("circle", { cx: x(values[values.length - 1]), cy: y, r: 2, fill: "currentColor" }));
  });
  return element("figure", {}, svg, element("figcaption", { textContent: `${metric.label} of all items: median, quartiles, 5th and 95th percentile, extremes.` }));
}

// Results of listening tests: a chart of each, and every table of its analysis.

// Tables that a reader looks at first; the others are folded.
const MAIN_TABLES = ["conditions", "preference", "comparisons", "abx", "intelligibility"];
const TEST_NAMES = {
  mushra: "MUSHRA", mushra1s: "MUSHRA with one stimulus a trial", acr: "absolute category rating", dcr: "degradation category rating",
  ccr: "comparison category rating", ab: "preference", abx: "ABX", bs1116: "BS.1116", effort: "listening effort", transcription: "words understood",
};

function showListening(view, target) {
  target.replaceChildren(...view.document.listening.flatMap((test) => {
    const tables = [...test.tables].sort((a, b) => MAIN_TABLES.includes(b.name) - MAIN_TABLES.includes(a.name));
    const kind = TEST_NAMES[test.test];
    return [
      element("h3", { textContent: kind ? `${test.name}: ${kind}` : test.name }),
      test.simulated ? element("p", { className: "warning" }, element("b", { textContent: "Warning. " }), "Answers of made-up listeners went in: no human gave them.") : null,
      test.excluded ? element("p", { className: "hint", textContent: `${test.excluded} ${test.excluded === 1 ? "listener was" : "listeners were"} left out by the rules of the test.` }) : null,
      listeningChart(test),
      ...tables.map(listeningTable),
    ].filter(Boolean);
  }));
}

function listeningTable(table) {
  const columns = table.columns.filter((column) => column.shown);
  const rows = table.rows.map((row) => element("tr", {}, ...columns.map((column) => {
    const value = row[column.name] ?? null;
    if (typeof value !== "number") return textCell(value === null ? NOTHING : String(value));
    const text = column.p ? (value >= 0.0001 || value === 0 ? value.toFixed(4) : value.toExponential(1)) : column.decimals === null ? String(value) : value.toFixed(column.decimals);
    return numberCell(value, text);
  })));
  const parts = [simpleTable(table.title, columns.map(({ label }) => [label]), rows),
    ...table.notes.map((note) => element("p", { className: "hint", textContent: note }))];
  if (MAIN_TABLES.includes(table.name)) return element("div", {}, element("h4", { textContent: table.title }), ...parts);
  return element("details", {}, element("summary", { textContent: table.title }), ...parts);
}

function listeningChart(test) {
  const table = (name) => test.tables.find((one) => one.name === name);
  const known = (row) => [row.mean, row.low, row.high].every((value) => typeof value === "number");
  if (table("conditions")) {
    const order = { reference: 0, system: 1, anchor: 2 };
    const rows = table("conditions").rows.filter(known).map((row) => ({ ...row, name: String(row.condition), grey: (row.role ?? "system") !== "system" }))
      .sort((a, b) => (order[a.role] ?? 1) - (order[b.role] ?? 1) || b.mean - a.mean);
    return rangeChart(rows, test.axis, "Mean with its 95 % interval; box: quartiles and median.");
  }
  if (table("comparisons")) {
    const rows = table("comparisons").rows.filter(known).map((row) => ({ ...row, name: `${row.first} : ${row.second}` }));
    return rangeChart(rows, test.axis, "The first relative to the second, with 95 % intervals over listeners.");
  }
  if (table("abx")) {
    const rows = table("abx").rows.filter((row) => typeof row.rate === "number")
      .map((row) => ({ name: String(row.treatment), mean: 100 * row.rate, low: 100 * row.low, high: 100 * row.high }));
    return rangeChart(rows, { label: "X identified (% of the trials)", low: 0, high: 100, zero: 50 }, "95 % intervals over trials; the dashed line is chance.");
  }
  return table("preference") ? choiceChart(table("preference").rows) : null;
}

// Rows with names at the left and one horizontal axis below.
function rowFrame(label, names, { axis: text, low, high }) {
  const step = 26, left = PHONE ? 150 : 230, letters = PHONE ? 17 : 32, height = names.length * step + TOP + BOTTOM;
  const x = linear(low, high, left, WIDE - RIGHT);
  const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": label, class: "chart" });
  for (const value of ticks(low, high)) {
    svg.append(drawn("line", { x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM, class: "grid" }),
      Object.assign(drawn("text", { x: x(value), y: height - BOTTOM + 18, "text-anchor": "middle" }), { textContent: String(value) }));
  }
  svg.append(Object.assign(drawn("text", { x: (left + WIDE - RIGHT) / 2, y: height - 8, "text-anchor": "middle" }), { textContent: text }));
  const y = (place) => TOP + step * (place + 0.5);
  names.forEach((name, place) => {
    const short = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
    svg.append(titled(Object.assign(drawn("text", { x: left - 8, y: y(place) + 4, "text-anchor": "end" }), { textContent: short }), name));
  });
  return { svg, x, y, bottom: height - BOTTOM };
}

function rangeChart(rows, scale, caption) {
  if (!rows.length) return null;
  const [low, high] = scale ? [Math.min(scale.low, ...rows.map((row) => row.low)), Math.max(scale.high, ...rows.map((row) => row.high))] : spread(rows.flatMap((row) => [row.low, row.high]));
  const text = scale?.label ?? "score";
  const { svg, x, y, bottom } = rowFrame(text, rows.map((row) => row.name), { axis: text, low, high });
  if (typeof scale?.zero === "number") svg.append(drawn("line", { x1: x(scale.zero), x2: x(scale.zero), y1: TOP, y2: bottom, class: "front" }));
  rows.forEach((row, place) => {
    const colour = row.grey ? "var(--muted)" : "var(--c0)";
    if ([row.q1, row.median, row.q3].every((value) => typeof value === "number")) {
      svg.append(drawn("rect", { x: x(row.q1), y: y(place) - 8, width: Math.max(1, x(row.q3) - x(row.q1)), height: 16, fill: colour, opacity: 0.2 }),
        drawn("line", { x1: x(row.median), x2: x(row.median), y1: y(place) - 8, y2: y(place) + 8, stroke: "currentColor", "stroke-width": 1.5 }));
    }
    svg.append(drawn("path", { d: `M${x(row.low)} ${y(place) - 4}V${y(place) + 4}M${x(row.low)} ${y(place)}H${x(row.high)}M${x(row.high)} ${y(place) - 4}V${y(place) + 4}`, fill: "none", stroke: colour, "stroke-width": 1.6 }),
      titled(painted(marker(row.grey ? "diamond" : "circle", x(row.mean), y(place)), colour), `${row.name}: ${row.mean.toFixed(2)} [${row.low.toFixed(2)}, ${row.high.toFixed(2)}]`));
  });
  const boxes = rows.some((row) => typeof row.median === "number");
  return element("figure", {}, svg, element("figcaption", { textContent: boxes ? caption : caption.replace("; box: quartiles and median", "") }));
}

const CHOICES = [["n_first", "the first", "var(--c0)"], ["n_none", "no preference", "var(--grid)"], ["n_second", "the second", "var(--c4)"]];

function choiceChart(rows) {
  const { svg, x, y } = rowFrame("Preference", rows.map((row) => `${row.first} : ${row.second}`), { axis: "share of the judgements (%)", low: 0, high: 100 });
  rows.forEach((row, place) => {
    const total = CHOICES.reduce((sum, [name]) => sum + (row[name] ?? 0), 0);
    let start = 0;
    for (const [name, text, colour] of CHOICES) {
      const share = total ? (100 * (row[name] ?? 0)) / total : 0;
      svg.append(titled(drawn("rect", { x: x(start), y: y(place) - 9, width: x(share) - x(0), height: 18, fill: colour, stroke: "var(--page)" }), `${text}: ${share.toFixed(1)} %`));
      if (share > 9) svg.append(Object.assign(drawn("text", { x: x(start + share / 2), y: y(place) + 4, "text-anchor": "middle", class: name === "n_none" ? "" : "onbar" }), { textContent: `${share.toFixed(0)} %` }));
      start += share;
    }
  });
  const entries = CHOICES.map(([, text, colour]) => element("li", {}, drawn("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" }, drawn("rect", { width: 14, height: 14, fill: colour })), ` ${text}`));
  return element("figure", {}, svg, element("ul", { className: "legend" }, ...entries), element("figcaption", { textContent: "Judgements for the first system, for none and for the second." }));
}

// The items of a board, one by one: players that switch in place, scores, texts, spectrograms.

const ROWS = 15;
// Further apart than this in seconds, two players are heard as an echo when switched.
const DRIFT = 0.03;
// Up to so many systems run together, so that switching is instant; of more, each when it is chosen.
const TOGETHER = 16;
// Digits typed within so many milliseconds are one number.
const TYPED_TOGETHER = 400;
const SOON = 200000;
const ORDERS = { worst: "worst first", difference: "largest differences first", best: "best first", corpus: "as in the corpus" };

// The words of two texts side by side: same, changed, left out, put in. Shortest way of all.
function aligned(said, heard) {
  const a = said.split(" ").filter(Boolean), b = heard.split(" ").filter(Boolean);
  const cost = Array.from({ length: a.length + 1 }, (_, row) => [row, ...Array(b.length).fill(0)]);
  for (let column = 1; column <= b.length; column += 1) cost[0][column] = column;
  for (let row = 1; row <= a.length; row += 1) {
    for (let column = 1; column <= b.length; column += 1) {
      cost[row][column] = Math.min(cost[row - 1][column - 1] + (a[row - 1] !== b[column - 1]), cost[row - 1][column] + 1, cost[row][column - 1] + 1);
    }
  }
  const steps = [];
  for (let row = a.length, column = b.length; row || column;) {
    if (row && column && cost[row][column] === cost[row - 1][column - 1] + (a[row - 1] !== b[column - 1])) {
      row -= 1; column -= 1;
      steps.push(a[row] === b[column] ? ["same", a[row]] : ["changed", b[column], a[row]]);
    } else if (row && cost[row][column] === cost[row - 1][column] + 1) {
      row -= 1; steps.push(["left out", a[row]]);
    } else { column -= 1; steps.push(["put in", b[column]]); }
  }
  return steps.reverse();
}

function markedText(said, heard) {
  const line = element("span");
  for (const [kind, word, instead] of aligned(said, heard)) {
    if (kind === "same") line.append(word);
    else if (kind === "left out") line.append(element("del", { textContent: word, title: "left out" }));
    else if (kind === "put in") line.append(element("ins", { textContent: word, title: "put in" }));
    else line.append(element("mark", { textContent: word, title: `instead of ${instead}` }));
    line.append(" ");
  }
  return line;
}

let leave = () => {};

async function showItems(view, target) {
  leave();
  const number = view.number;
  const data = await load(`board${number}-items`);
  const places = view.metrics.map((_, place) => place);
  const scores = new Map();
  // All metrics of an item where that is soon read, else only the chosen one.
  const soon = data.names.length * view.board.rows.length * places.length <= SOON;
  const wanted = view.inside && soon ? places : [view.metric];
  for (const place of wanted) scores.set(place, numbers(await load(`board${number}-metric${place}`)));
  const heardPlace = view.board.heard.includes(view.metric) ? view.metric : view.board.heard[0];
  const heard = heardPlace === undefined ? null : await load(`board${number}-heard${heardPlace}`);
  const pictures = view.board.pictures ? await load(`board${number}-pictures`) : {};
  if (view.stale?.()) return;

  const coded = view.board.rows.map((row) => view.codec(row).label);
  const systems = ["Original", ...coded, ...(data.damaged ? ["Damaged input"] : [])];
  const competitors = view.board.rows.map((_, place) => place).filter((place) => view.codec(view.board.rows[place]).kind !== "anchor");
  const metric = view.metrics[view.metric];
  const count = data.names.length;
  const score = (item, codec, place = view.metric) => scores.get(place)?.[codec]?.[item] ?? null;
  const reason = (item, codec, place) => {
    const known = data.unscored[`${item},${codec},${place}`];
    return known === undefined ? "missing" : data.reasons[known];
  };
  const shown = (value, place = view.metric) => scoreText(value, view.metrics[place]);
  const source = (system, item) => {
    const rest = data.files[system].rest[item];
    return rest === null || rest === undefined ? null : data.files[system].start + rest;
  };
  const audible = (item) => systems.some((_, system) => source(system, item) !== null);

  const mean = [], gap = [];
  for (let item = 0; item < count; item += 1) {
    let sum = 0, known = 0, low = Infinity, high = -Infinity;
    for (const codec of competitors) {
      const value = score(item, codec);
      if (value === null) continue;
      sum += value; known += 1;
      low = Math.min(low, value); high = Math.max(high, value);
    }
    mean.push(known ? sum / known : null);
    gap.push(known > 1 ? high - low : null);
  }
  const better = metric?.direction === "down" ? -1 : 1;

  const order = element("select", {}, ...Object.entries(ORDERS).map(([value, text]) => new Option(text, value)));
  order.value = view.order ?? "worst";
  const find = element("input", { type: "search", className: "find", placeholder: "item, speaker or words" });
  const found = element("span", { className: "found", role: "status" });
  const body = element("tbody"), head = element("thead");
  const items = element("table", { className: "items" }, head, body);
  const back = element("button", { type: "button", className: "back", textContent: "Previous" });
  const next = element("button", { type: "button", className: "next", textContent: "Next" });
  const pageText = element("span", { className: "page" });
  const player = element("section", { className: "player", "aria-label": "Player" });
  target.replaceChildren(
    element("div", { className: "controls" }, element("label", {}, "Order ", order), element("label", {}, "Find ", find), found),
    player, region("Items", items),
    element("p", { className: "pages" }, back, pageText, next));

  let chain = [], page = 0, sorted = null, up = true, current = null;

  const columns = [
    ["Item", (item) => data.names[item]], ["Speaker", (item) => data.speakers[item]], ["Seconds", (item) => data.seconds[item]],
    ["Mean", (item) => mean[item]], ["Difference", (item) => gap[item]],
    ...view.board.rows.map((_, codec) => [systems[codec + 1], (item) => score(item, codec)]),
  ];

  function listed() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    chain = [...data.names.keys()].filter((item) => {
      const where = `${data.names[item]} ${data.speakers[item]} ${data.texts[item]}`.toLowerCase();
      return words.every((word) => where.includes(word));
    });
    const value = sorted !== null ? columns[sorted][1] : { difference: (item) => gap[item], corpus: () => null }[order.value] ?? ((item) => mean[item]);
    const rising = sorted !== null ? up : order.value === "difference" ? false : (order.value === "worst") === (better > 0);
    if (sorted !== null || order.value !== "corpus") {
      const keys = new Map(chain.map((item) => [item, value(item)]));
      chain.sort((a, b) => compare(keys.get(a), keys.get(b), rising));
    }
  }

  function list() {
    const pages = Math.max(1, Math.ceil(chain.length / ROWS));
    page = Math.max(0, Math.min(page, pages - 1));
    found.textContent = `${chain.length} of ${count} items`;
    pageText.textContent = `Page ${page + 1} of ${pages}`;
    back.disabled = page === 0;
    next.disabled = page === pages - 1;
    head.replaceChildren(element("tr", {}, ...columns.map(([name], place) => {
      const button = element("button", { type: "button", textContent: name });
      button.addEventListener("click", () => {
        up = sorted === place ? !up : true;
        sorted = place; page = 0;
        listed(); list();
        head.rows[0].cells[place].firstElementChild.focus();
      });
      const cell = element("th", { scope: "col" }, button);
      if (sorted === place) cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      return cell;
    })));
    body.replaceChildren(...chain.slice(page * ROWS, (page + 1) * ROWS).map((item) => {
      const open = element("button", { type: "button", textContent: data.names[item] });
      open.addEventListener("click", () => { show(item); player.querySelector(".name").focus(); });
      const cells = columns.slice(1).map(([, value], place) => {
        const own = value(item);
        if (place < 2) return element("td", { textContent: own });
        const cell = element("td", { textContent: shown(own) });
        if (own === null && place >= 4) cell.title = reason(item, place - 4, view.metric);
        return cell;
      });
      const row = element("tr", {}, element("th", { scope: "row" }, open, audible(item) ? null : element("small", { textContent: " no audio" })), ...cells);
      if (item === current) row.setAttribute("aria-current", "true");
      return row;
    }));
  }

  let chosen = 0, other = 0, players = [], playing = false;
  const together = systems.length <= TOGETHER;
  const master = () => players[chosen];
  const part = (name) => player.querySelector(name);

  function made(system) {
    const file = source(system, current);
    if (file === null) return null;
    const audio = new Audio();
    audio.preload = "auto";
    audio.src = file;
    audio.addEventListener("timeupdate", () => { if (system === chosen) tick(); });
    audio.addEventListener("ended", () => ended(system));
    return audio;
  }

  function stop() {
    playing = false;
    for (const audio of players) audio?.pause();
    part(".play").textContent = "Play";
  }

  async function start() {
    if (!master()) return;
    playing = true;
    part(".play").textContent = "Pause";
    seek(master().ended ? 0 : master().currentTime);
    players.forEach((audio, system) => { if (audio) audio.muted = system !== chosen; });
    // All run together, all but one silent, so that switching is instant and in step.
    await Promise.allSettled(players.map((audio) => audio?.play()));
  }

  function seek(time) {
    for (const audio of players) if (audio && Math.abs(audio.currentTime - time) > DRIFT) audio.currentTime = time;
  }

  function choose(system) {
    if (system >= systems.length || source(system, current) === null) return;
    const time = master() ? master().currentTime : 0;
    if (system !== chosen) other = chosen;
    if (!together && system !== chosen) { master()?.pause(); players[chosen] = null; }
    players[system] ??= made(system);
    chosen = system;
    view.heardSystem = systems[system];
    players.forEach((audio, place) => { if (audio) audio.muted = place !== system; });
    if (Math.abs(master().currentTime - time) > DRIFT) master().currentTime = time;
    if (playing && master().paused) master().play().catch(() => {});
    [...part(".systems").children].forEach((button, place) => button.setAttribute("aria-pressed", place === system));
  }

  function tick() {
    if (!master()) return;
    part(".seek").value = master().currentTime;
    part(".time").textContent = `${master().currentTime.toFixed(1)} s`;
  }

  function ended(system) {
    if (system !== chosen) return;
    if (part(".loop").checked) { seek(0); start(); } else stop();
  }

  function silence() {
    for (const audio of players) { if (audio) { audio.pause(); audio.removeAttribute("src"); audio.load(); } }
    players = [];
  }

  function step(by) {
    const place = chain.indexOf(current) + by;
    if (place >= 0 && place < chain.length) { const was = playing; page = Math.floor(place / ROWS); show(chain[place]); if (was) start(); }
  }

  function show(item) {
    if (part(".play")) stop();
    silence();
    current = item;
    view.heard = data.names[item];
    const seekBar = element("input", { type: "range", className: "seek", min: 0, max: data.seconds[item] || 1, step: 0.01, value: 0, "aria-label": "Position in seconds" });
    const facts = [data.speakers[item] && `speaker ${data.speakers[item]}`, data.genders[item], data.languages[item], data.accents?.[item], `${data.seconds[item]} s`].filter(Boolean);
    const button = (className, text, act, label) => {
      const made = element("button", { type: "button", className, textContent: text, "aria-label": label });
      made.addEventListener("click", act);
      return made;
    };
    const picture = pictures[item] ?? [];
    const grid = systems.map((label, system) => {
      const has = source(system, item) !== null;
      const own = element("button", { type: "button", disabled: !has, "aria-pressed": "false" },
        element("small", { textContent: `${system} ` }), element("b", { textContent: label }));
      if (system > 0 && system <= coded.length && metric) {
        const value = score(item, system - 1);
        own.append(element("small", { textContent: ` ${value === null ? reason(item, system - 1, view.metric) : shown(value)}` }));
      }
      if (!has) own.append(element("small", { textContent: " (no audio)" }));
      if (picture[system]) own.append(element("img", { src: picture[system], alt: `Spectrogram of ${label}` }));
      own.addEventListener("click", () => choose(system));
      return own;
    });
    const seen = places.filter((place) => scores.has(place));
    const table = element("table", { className: "scores" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col", textContent: "Codec" }), ...seen.map((place) => element("th", { scope: "col", textContent: view.metrics[place].label })))),
      element("tbody", {}, ...coded.map((label, codec) => element("tr", {}, element("th", { scope: "row", textContent: label }),
        ...seen.map((place) => { const value = score(item, codec, place); return element("td", { textContent: value === null ? reason(item, codec, place) : shown(value, place) }); })))));
    player.replaceChildren(
      element("h3", { className: "name", tabIndex: -1, textContent: `${data.names[item]}, ${facts.join(", ")}` }),
      element("p", { className: "words", textContent: data.texts[item] }),
      element("p", { className: "transport" }, button("play", "Play", () => playing ? stop() : start()), seekBar,
        element("output", { className: "time", textContent: "0.0 s" }), element("label", {}, element("input", { type: "checkbox", className: "loop" }), " repeat"),
        button("earlier", "← Item", () => step(-1), "Item before"), button("later", "Item →", () => step(1), "Next item")),
      element("p", { className: "hint", textContent: "Choose a system or press its number (two digits quickly after each other); it goes on at the same place. X goes back to the one before and forth (A/B), J and K to the next and the one before in the row, space plays and stops, N and P change the item. Levels are as decoded." }),
      element("div", { className: "systems", role: "group", "aria-label": "System" }, ...grid),
      ...heardTexts(item),
      element("details", { open: systems.length <= TOGETHER }, element("summary", { textContent: "Scores of this item" }), region("Scores of this item", table)));
    seekBar.addEventListener("input", () => { seek(Number(seekBar.value)); tick(); });
    if (!audible(item)) player.querySelector(".transport").after(element("p", { className: "hint", textContent: "No audio of this item is here." }));
    players = systems.map((_, system) => together ? made(system) : null);
    if (source(chosen, item) === null) chosen = Math.max(0, systems.findIndex((_, system) => source(system, item) !== null));
    if (source(chosen, item) !== null) choose(chosen);
    tick();
    list();
  }

  function heardTexts(item) {
    if (!heard || !heard.said[item]) return [];
    const said = heard.said[item];
    const lines = coded.flatMap((label, codec) => {
      const text = heard.heard[codec][item];
      if (text === null) return [];
      return [element("dt", { textContent: label }), element("dd", {}, text === 1 ? element("span", { textContent: "all as said" }) : text === "" ? "nothing" : markedText(said, text))];
    });
    return [element("h4", { textContent: `What the recogniser heard (${view.metrics[heardPlace].label})` }),
      element("p", { className: "hint" }, element("mark", { textContent: "changed" }), " ", element("del", { textContent: "left out" }), " ", element("ins", { textContent: "put in" })),
      element("dl", { className: "heard" }, element("dt", { textContent: "Said" }), element("dd", { textContent: said }), ...lines)];
  }

  let typed = "", typedAt = 0;

  // One digit chooses at once; a second one soon after it makes a number of two.
  function typedNumber(digit) {
    const both = Number(typed + digit), now = performance.now();
    const together = typed !== "" && now - typedAt < TYPED_TOGETHER && both < systems.length;
    typed = together ? "" : digit;
    typedAt = now;
    return together ? both : Number(digit);
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || current === null) return;
    const field = event.target.closest?.("input, select, textarea");
    if (field || !target.offsetParent) return;
    const inside = target.contains(event.target);
    if (!inside && event.target !== document.body) return;
    const key = event.key.toLowerCase();
    if (/^[0-9]$/.test(key)) choose(typedNumber(key));
    else if (key === "x") choose(other);
    else if (key === "j" || key === "k") {
      const by = key === "j" ? 1 : -1;
      for (let system = chosen + by; system >= 0 && system < systems.length; system += by) {
        if (source(system, current) !== null) { choose(system); break; }
      }
    } else if (key === "n") step(1);
    else if (key === "p") step(-1);
    else if (key === " " && !event.target.closest("button, summary")) { event.preventDefault(); playing ? stop() : start(); }
  }

  document.addEventListener("keydown", pressed);
  leave = () => { document.removeEventListener("keydown", pressed); silence(); leave = () => {}; };
  order.addEventListener("change", () => { view.order = order.value; sorted = null; page = 0; listed(); list(); if (chain.length) show(chain[0]); });
  find.addEventListener("input", () => { page = 0; listed(); list(); });
  back.addEventListener("click", () => { page -= 1; list(); });
  next.addEventListener("click", () => { page += 1; list(); });
  listed();
  if (!count) target.replaceChildren(element("p", { textContent: "No items." }));
  else {
    // Who changes the condition goes on with the same item and system.
    const again = data.names.indexOf(view.keep?.item);
    if (again >= 0) chosen = Math.max(0, systems.indexOf(view.keep.system));
    view.keep = null;
    show(again >= 0 ? again : chain.find(audible) ?? chain[0]);
  }
}

// What is chosen (speech, condition, metric, run), and the sections that show it.

async function open() {
  const results = await load("results");
  const tabs = document.body.classList.contains("tabs");
  const view = {
    document: results, number: 0, metric: 0, run: null, ranked: tabs, inside: !tabs,
    codec: (row) => results.codecs[row.codec],
  };
  const SECTIONS = {
    table: (target) => showTable(target),
    listen: (target) => showItems(view, target),
    listening: (target) => showListening(view, target),
    rates: (target) => target.replaceChildren(rateChart(view)),
    spread: async (target) => target.replaceChildren(boxChart(view, numbers(await load(`board${view.number}-metric${view.metric}`)))),
    robustness: (target) => showRobustness(view, target),
    groups: (target) => showGroups(view, target),
    costs: (target) => showCosts(view, target),
    agreement: (target) => showAgreement(view, target),
    published: (target) => showPublished(view, target),
    made: (target) => showMade(target),
    cite: (target) => target.replaceChildren(element("dl", {}, ...results.citations.flatMap(({ name, text }) => [element("dt", { textContent: name }), element("dd", { textContent: text })]))),
  };
  const shownAt = new Map();
  let stamp = 0;

  function select(label, className, entries, chosen, act) {
    const box = element("select", { className }, ...entries.map(([value, text]) => new Option(text, value)));
    box.value = chosen;
    box.addEventListener("change", () => act(box.value));
    return element("label", {}, `${label} `, box);
  }

  function choices() {
    const own = baseOf(results.boards, view.board);
    const numbered = results.boards.map((board, number) => [number, board]);
    const clean = numbered.filter(([, board]) => baseOf(results.boards, board) === board);
    const conditions = numbered.filter(([, board]) => baseOf(results.boards, board) === own);
    const base = clean.find(([, board]) => board === own);
    const boxes = [];
    if (clean.length > 1) boxes.push(select("Speech", "corpus", clean.map(([number, board]) => [number, `${board.corpus} (${board.items} items)`]), base[0], (value) => goTo(Number(value))));
    if (conditions.length > 1) boxes.push(select("Condition", "condition", conditions.map(([number, board]) => [number, board.condition || "as recorded"]), view.number, (value) => goTo(Number(value))));
    if (view.metrics.length) boxes.push(select("Metric", "metric", view.metrics.map((metric, place) => [place, metric.label]), view.metric, (value) => { view.metric = Number(value); refresh(); }));
    if (view.board.runs.length > 1) boxes.push(select("Highlight", "run", [["", "no run"], ...view.board.runs.map((run) => [run, results.runs[run].name])], view.run ?? "", (value) => { view.run = value === "" ? null : Number(value); refresh(); }));
    byId("choose").replaceChildren(...boxes);
  }

  function goTo(number) {
    const column = view.metrics?.[view.metric]?.column;
    view.number = number;
    view.keep = { item: view.heard, system: view.heardSystem };
    view.board = results.boards[number];
    view.metrics = view.board.metrics.map((place) => results.metrics[place]);
    view.metric = Math.max(0, view.metrics.findIndex((metric) => metric.column === column));
    if (!view.board.runs.includes(view.run)) view.run = null;
    refresh();
  }

  function refresh() {
    stamp += 1;
    const board = view.board;
    choices();
    byId("speech").textContent = `${board.corpus}: ${board.items} items, ${(board.seconds / 60).toFixed(1)} min${board.speakers ? `, ${board.speakers} ${board.speakers === 1 ? "speaker" : "speakers"}` : ""}`;
    for (const [name] of Object.entries(SECTIONS)) { const section = byId(name); if (section && !section.hidden) fill(name); }
  }

  function fill(name) {
    if (shownAt.get(name) === stamp) return;
    shownAt.set(name, stamp);
    const now = stamp;
    view.stale = () => now !== stamp;
    const target = byId(name).querySelector(".content");
    return Promise.resolve(SECTIONS[name](target)).catch((error) => {
      target.replaceChildren(element("p", { className: "warning", role: "alert", textContent: `Cannot show this: ${error.message}` }));
      console.error(error);
    });
  }

  function showTable(target) {
    const board = view.board;
    const scores = element("div", { className: "scoreboard" });
    const absent = board.rows.flatMap((row) => row.scores).reduce((sum, score) => sum + score.failed + score.not_applicable + score.missing, 0);
    const lettered = board.rows.some((row) => row.scores.some((score) => score.letters));
    target.replaceChildren(...[
      notes(board.notes, "warning"),
      element("p", { className: "hint", textContent: `Means ± half of the 95 % interval; bold is best, underlined second, ~ not told from the best.${lettered ? " Codecs that share a raised letter are not told apart (paired tests, Holm over all pairs)." : ""} Click a heading to sort.` }),
      scores,
      absent ? reasonsOf(absent) : null,
      notes(board.notes, "note"),
    ].filter(Boolean));
    showScores(view, scores);
  }

  function reasonsOf(absent) {
    const box = element("details", { className: "absent" }, element("summary", { textContent: `${absent === 1 ? "1 score is absent" : `${absent} scores are absent`}, with reasons` }));
    const show = async () => {
      const data = await load(`board${view.number}-items`);
      const counts = new Map();
      for (const [cell, reason] of Object.entries(data.unscored)) {
        const [item, codec, metric] = cell.split(",").map(Number);
        const key = `${codec},${metric},${reason}`;
        const known = counts.get(key) ?? { codec, metric, reason, count: 0, item };
        known.count += 1;
        counts.set(key, known);
      }
      const rows = [...counts.values()].sort((a, b) => b.count - a.count).slice(0, 500).map((one) => element("tr", {},
        textCell(view.codec(view.board.rows[one.codec]).label), textCell(view.metrics[one.metric].label), textCell(data.reasons[one.reason]), numberCell(one.count, String(one.count)), textCell(data.names[one.item])));
      const missing = view.board.rows.flatMap((row) => row.scores.map((score, place) => [row, score, place])).filter(([, score]) => score.missing)
        .map(([row, score, place]) => element("tr", {}, textCell(view.codec(row).label), textCell(view.metrics[place].label), textCell(view.codec(row).missing ? `missing: ${view.codec(row).missing}` : "missing"), numberCell(score.missing, String(score.missing)), textCell("")));
      box.replaceChildren(box.firstElementChild, simpleTable("Reasons", [["Codec"], ["Metric"], ["Reason"], ["Items"], ["For example"]], [...rows, ...missing], "sortable reasons"));
    };
    box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) show(); });
    if (view.inside) show();
    return box;
  }

  function showMade(target) {
    target.replaceChildren(...view.board.runs.flatMap((number) => {
      const run = results.runs[number];
      return [element("h3", { textContent: `${run.name}, started ${run.started}` }), element("p", { className: "hint", textContent: `Measured on ${run.processor}.` }), notes(run.notes, "warning"), notes(run.notes, "note")];
    }).filter(Boolean));
  }

  function turn(name) {
    for (const tab of document.querySelectorAll("[role=tab]")) {
      const own = tab.dataset.section === name;
      tab.setAttribute("aria-selected", own);
      tab.tabIndex = own ? 0 : -1;
      // On a phone the tabs are one line that scrolls.
      if (own) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
      byId(tab.dataset.section).hidden = !own;
    }
    if (name !== "listen") leave();
    fill(name);
    if (name === "listen") { shownAt.delete("listen"); }
  }

  if (!results.boards.length) { byId("speech").textContent = "No corpus."; return; }
  if (!results.boards.some((board) => board.clean)) hideSection("robustness");
  if (!results.listening?.length) hideSection("listening");
  if (!results.published.length) hideSection("published");

  function hideSection(name) {
    byId(name)?.remove();
    delete SECTIONS[name];
    document.querySelector(`[data-section="${name}"]`)?.closest("li, [role=tab]")?.remove();
  }

  if (tabs) {
    const list = [...document.querySelectorAll("[role=tab]")];
    list.forEach((tab, place) => {
      tab.addEventListener("click", () => { history.replaceState(null, "", `#${tab.dataset.section}`); turn(tab.dataset.section); });
      tab.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (by) { const next = list[(place + by + list.length) % list.length]; next.focus(); next.click(); }
      });
    });
    const first = list.find((tab) => `#${tab.dataset.section}` === location.hash) ?? list[0];
    for (const tab of list) byId(tab.dataset.section).hidden = tab !== first;
    goTo(0);
    turn(first.dataset.section);
  } else goTo(0);

  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; const board = document.querySelector(".scoreboard"); if (board) showScores(view, board); } });
  // On paper everything is shown.
  addEventListener("beforeprint", () => {
    for (const name of Object.keys(SECTIONS)) if (name !== "listen" && byId(name)) { byId(name).hidden = false; fill(name); }
    for (const folded of document.querySelectorAll("main details:not(#manifest details)")) folded.open = true;
  });
  if (tabs) addEventListener("afterprint", () => turn(document.querySelector("[role=tab][aria-selected=true]").dataset.section));
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

open();
