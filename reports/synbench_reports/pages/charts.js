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
