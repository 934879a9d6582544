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
