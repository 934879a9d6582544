"use strict";
for (const head of document.querySelectorAll("th button")) {
  head.addEventListener("click", () => {
    const cell = head.parentElement, table = cell.closest("table"), place = cell.cellIndex;
    const up = cell.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[place].dataset.value;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === "" || y === "") return (x === "") - (y === ""); // empty cells stay last
      const order = place ? Number(x) - Number(y) : x.localeCompare(y);
      return up ? order : -order;
    });
    table.tBodies[0].append(...rows);
  });
}
for (const part of document.querySelectorAll(".listen")) {
  const data = JSON.parse(part.querySelector("script").textContent);
  const [choice, audio, words, list, scores] = [
    "select", "audio", ".words", ".codecs", ".scores"].map((name) => part.querySelector(name));
  let wanted = 0;
  data.items.forEach((item, place) => choice.add(new Option(item.name, place)));
  function play(system) {
    // The next system goes on where the last one stopped.
    const time = audio.currentTime, running = !audio.paused;
    wanted = system;
    const source = data.items[choice.value].files[system];
    [...list.children].forEach((button, place) => button.setAttribute("aria-pressed", place === system));
    if (!source) { audio.removeAttribute("src"); audio.load(); return; }
    audio.src = source;
    audio.addEventListener("loadedmetadata", () => {
      audio.currentTime = Math.min(time, audio.duration);
      if (running) audio.play();
    }, { once: true });
  }
  function show() {
    const item = data.items[choice.value];
    words.textContent = item.words;
    list.replaceChildren(...data.systems.map((name, place) => {
      const button = document.createElement("button");
      button.type = "button"; button.textContent = name; button.disabled = !item.files[place];
      button.addEventListener("click", () => play(place));
      return button;
    }));
    const rows = data.systems.slice(1).map((name, codec) => {
      const row = document.createElement("tr");
      for (const text of [name, ...item.scores[codec]]) {
        const cell = document.createElement("td");
        cell.textContent = text === null ? "–" : typeof text === "number" ? text.toFixed(3) : text;
        row.append(cell);
      }
      return row;
    });
    scores.tBodies[0].replaceChildren(...rows);
    audio.pause(); audio.removeAttribute("src"); play(wanted);
  }
  choice.addEventListener("change", show);
  if (data.items.length) { choice.value = 0; show(); }
}
