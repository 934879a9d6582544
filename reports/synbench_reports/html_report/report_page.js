"use strict";
const ROWS = 25;
// Further apart than this in seconds, two players are heard as an echo when switched.
const DRIFT = 0.03;

function compare(x, y, up) {
  if (x === null || y === null) return (x === null) - (y === null); // empty cells stay last
  const order = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
  return up ? order : -order;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => head.firstElementChild.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => {
      const text = row.cells[place].dataset.value;
      return place === 0 ? text : text === "" ? null : Number(text);
    };
    const rows = [...table.tBodies[0].rows].sort((a, b) => compare(value(a), value(b), up));
    table.tBodies[0].append(...rows);
  }));
}

for (const section of document.querySelectorAll(".listen")) {
  const data = JSON.parse(section.parentElement.querySelector("script.data").textContent);
  const part = (name) => section.querySelector(name);
  const count = data.items.length;
  let order = [...data.items.keys()], page = 0, sorted = null, up = true;

  data.metrics.forEach((metric, place) => part(".metric").add(new Option(metric.label, place)));
  const metric = () => Number(part(".metric").value || 0);
  const score = (item, codec, place) => data.scores[codec][place]?.[item] ?? null;
  const shown = (value) => value === null ? "–" : value.toFixed(3);
  const reason = (item, codec, place) => data.reasons[`${item},${codec},${place}`] ?? "missing";

  function columns() {
    const codecs = data.systems.slice(1).map((name, codec) =>
      [name, (item) => score(item, codec, metric())]);
    return [["Item", (item) => data.items[item][0]], ["Speaker", (item) => data.items[item][1]],
      ["Seconds", (item) => data.items[item][2]], ...codecs];
  }

  function list() {
    const words = part(".find").value.toLowerCase().split(/\s+/).filter(Boolean);
    order = [...data.items.keys()].filter((item) => {
      const [name, speaker, , text] = data.items[item];
      const where = `${name} ${speaker} ${text}`.toLowerCase();
      return words.every((word) => where.includes(word));
    });
    const all = columns();
    if (sorted !== null) {
      const value = all[sorted][1];
      const keys = new Map(order.map((item) => [item, value(item)]));
      order.sort((a, b) => compare(keys.get(a), keys.get(b), up));
    }
    const pages = Math.max(1, Math.ceil(order.length / ROWS));
    page = Math.min(page, pages - 1);
    part(".found").textContent = `${order.length} of ${count} items`;
    part(".page").textContent = `Page ${page + 1} of ${pages}`;
    part(".back").disabled = page === 0;
    part(".next").disabled = page === pages - 1;
    const heads = all.map(([name], place) => {
      const button = element("button", { type: "button", textContent: name });
      button.addEventListener("click", () => {
        up = sorted === place ? !up : true;
        sorted = place;
        page = 0;
        list();
        part(".items").tHead.rows[0].cells[place].firstElementChild.focus();
      });
      const head = element("th", { scope: "col" }, button);
      if (sorted === place) head.setAttribute("aria-sort", up ? "ascending" : "descending");
      return head;
    });
    part(".items").tHead.replaceChildren(element("tr", {}, ...heads));
    const rows = order.slice(page * ROWS, (page + 1) * ROWS).map((item) => {
      const open = element("button", { type: "button", textContent: data.items[item][0] });
      open.addEventListener("click", () => show(item));
      const cells = all.slice(1).map(([, value], place) => {
        const found = value(item);
        if (place < 2) return element("td", { textContent: found });
        const title = found === null ? reason(item, place - 2, metric()) : "";
        return element("td", { textContent: shown(found), title });
      });
      const row = element("tr", {}, element("th", { scope: "row" }, open), ...cells);
      if (item === current) row.setAttribute("aria-current", "true");
      return row;
    });
    part(".items").tBodies[0].replaceChildren(...rows);
  }

  let current = null, chosen = 0, players = [], playing = false;
  const master = () => players[chosen];
  const source = (system, item) => {
    const rest = data.files[system].rest[item];
    return rest === null ? null : data.files[system].start + rest;
  };

  function stop() {
    playing = false;
    for (const player of players) player?.pause();
    part(".play").textContent = "Play";
    part(".play").setAttribute("aria-label", "Play");
  }

  async function start() {
    if (!master()) return;
    playing = true;
    part(".play").textContent = "Pause";
    part(".play").setAttribute("aria-label", "Pause");
    seek(master().ended ? 0 : master().currentTime);
    players.forEach((player, system) => { if (player) player.muted = system !== chosen; });
    // All run together, all but one silent, so that switching is instant and in step.
    await Promise.allSettled(players.map((player) => player?.play()));
  }

  function seek(time) {
    for (const player of players) {
      if (player && Math.abs(player.currentTime - time) > DRIFT) player.currentTime = time;
    }
  }

  function choose(system) {
    if (!players[system]) return;
    const time = master() ? master().currentTime : 0;
    chosen = system;
    players.forEach((player, place) => { if (player) player.muted = place !== system; });
    if (Math.abs(master().currentTime - time) > DRIFT) master().currentTime = time;
    if (playing && master().paused) master().play();
    [...part(".systems").children].forEach((button, place) =>
      button.setAttribute("aria-pressed", place === system));
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

  function show(item) {
    stop();
    for (const player of players) { if (player) { player.removeAttribute("src"); player.load(); } }
    current = item;
    const [name, speaker, seconds, words] = data.items[item];
    part(".name").textContent = speaker ? `${name}, speaker ${speaker}` : name;
    part(".words").textContent = words;
    part(".seek").max = seconds;
    players = data.systems.map((_, system) => {
      const file = source(system, item);
      if (file === null) return null;
      const player = new Audio();
      player.preload = "auto";
      player.src = file;
      player.addEventListener("timeupdate", () => { if (system === chosen) tick(); });
      player.addEventListener("ended", () => ended(system));
      return player;
    });
    if (!players[chosen]) chosen = Math.max(0, players.findIndex(Boolean));
    const pictures = data.pictures[item] ?? [];
    part(".systems").replaceChildren(...data.systems.map((label, system) => {
      const key = system < 10 ? `${system} ` : "";
      const heading = element("b", { textContent: label });
      const button = element("button", { type: "button", disabled: !players[system] },
        element("small", { textContent: key }), heading);
      if (system > 0) {
        const value = score(item, system - 1, metric());
        const text = value === null ? reason(item, system - 1, metric()) : shown(value);
        button.append(element("small", { textContent: ` ${text}` }));
      }
      if (!players[system]) button.append(element("small", { textContent: " (no audio)" }));
      if (pictures[system]) {
        button.append(element("img", { src: pictures[system], alt: `Spectrogram of ${label}` }));
      }
      button.addEventListener("click", () => choose(system));
      return button;
    }));
    const heads = ["Codec", ...data.metrics.map((one) => one.label)];
    part(".scores").tHead.replaceChildren(element("tr", {}, ...heads.map((text) =>
      element("th", { scope: "col", textContent: text }))));
    part(".scores").tBodies[0].replaceChildren(...data.systems.slice(1).map((label, codec) =>
      element("tr", {}, element("th", { scope: "row", textContent: label }),
        ...data.metrics.map((_, place) => {
          const value = score(item, codec, place);
          return element("td", { textContent: value === null ? reason(item, codec, place) : shown(value) });
        }))));
    part(".player").hidden = false;
    choose(chosen);
    tick();
    list();
    part(".name").focus();
  }

  part(".play").addEventListener("click", () => playing ? stop() : start());
  part(".seek").addEventListener("input", (event) => { seek(Number(event.target.value)); tick(); });
  part(".metric").addEventListener("change", () => {
    list();
    if (current !== null) { const was = playing; show(current); if (was) start(); }
  });
  part(".find").addEventListener("input", () => { page = 0; list(); });
  part(".back").addEventListener("click", () => { page -= 1; list(); });
  part(".next").addEventListener("click", () => { page += 1; list(); });
  part(".player").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.type === "range") return;
    if (/^[0-9]$/.test(event.key)) choose(Number(event.key));
  });
  if (count) list(); else section.hidden = true;
}

// On paper every figure is shown.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("main details:not(#manifest details)")) folded.open = true;
});
