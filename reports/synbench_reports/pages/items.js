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
