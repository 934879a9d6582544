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
