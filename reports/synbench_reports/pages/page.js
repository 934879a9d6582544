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
