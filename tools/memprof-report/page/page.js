"use strict";
// Whatever comes from the program, class names above all, goes to the page as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  // Okabe and Ito's colours, which the colour-blind can tell apart.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#b8a800"];
  const FIGURES = {resident: "resident", anonymous: "anonymous", swapped: "swapped",
                   bytes: "in objects", allocatorUsed: "C allocator, used",
                   allocatorFree: "C allocator, free but kept"};
  const COUNTS = {objects: "objects", blocks: "allocated blocks of Python"};
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
                 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000].map((s) => s * 1000);
  const ROWS_MAX = 500;

  const state = {process: null, selected: new Set(), key: "bytesChange", up: false, charts: []};

  // ---- Words

  const grouped = (number) => Math.round(number).toLocaleString("en-US");

  // To a tenth, a half to the even one, as the log has it.
  function tenths(value) {
    const whole = Math.floor(value * 10), rest = value * 10 - whole;
    return (whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1))) / 10;
  }

  function size(bytes) {
    const units = ["B", "KB", "MB", "GB", "TB"];
    let at = 0, value = Math.abs(bytes);
    for (; tenths(value) >= 1024 && at < units.length - 1; at++) value /= 1024;
    return (bytes < 0 ? "-" : "") + (at === 0 ? value : tenths(value).toFixed(1)) + " " + units[at];
  }

  // How much of all names is the folder that they are in: it would leave no room for what differs.
  function folderLength(names) {
    let length = names[0].lastIndexOf("/") + 1;
    while (!names.every((name) => name.startsWith(names[0].slice(0, length))))
      length = names[0].slice(0, length - 1).lastIndexOf("/") + 1;
    return length;
  }

  const amount = (value, write) => value === null ? "–" : write(value);

  function moment(process, ms, span) {
    if (process.clock === "none") return "#" + (ms + 1);
    if (process.clock === "elapsed") return "+" + Math.round(ms / 1000) + " s";
    const text = new Date(ms).toISOString();
    if (span === undefined) return text.slice(0, 19).replace("T", " ") + (process.utc ? " UTC" : "");
    if (span > 4 * 86400000) return text.slice(5, 10);
    if (span > 36 * 3600000) return text.slice(5, 16).replace("T", " ");
    return span > 600000 ? text.slice(11, 16) : text.slice(11, 19);
  }

  // ---- Charts

  // A name of any length beside its colour: its ends, which tell it from others, and what fits of them.
  function shortened(name, chart) {
    const characters = [...name], context = chart.ctx;
    const cut = (half) => characters.length <= 2 * half ? name
      : characters.slice(0, half).join("") + "…" + characters.slice(-half).join("");
    let half = 24;
    context.save();
    context.font = Chart.helpers.toFont(Chart.defaults.font).string;
    while (half > 4 && context.measureText(cut(half)).width > chart.width - 50) half--;
    context.restore();
    return cut(half);
  }

  const legend = (chart) => Chart.defaults.plugins.legend.labels.generateLabels(chart)
    .map((label) => ({...label, text: shortened(label.text, chart)}));

  function timeTicks(axis) {
    const span = axis.max - axis.min, most = Math.min(8, axis.chart.width / 60);
    const step = state.process.clock === "none" ? Math.max(1, Math.ceil(span / most))
      : STEPS.find((each) => span / each <= most) || span / most;
    axis.ticks = [];
    for (let at = Math.ceil(axis.min / step) * step; at <= axis.max; at += step) axis.ticks.push({value: at});
  }

  // At round numbers of a unit, which is a power of `base`.
  const roundTicks = (base) => (axis) => {
    const fits = (step) => (axis.max - axis.min) / step <= 7;
    let unit = 1;
    while (!fits(unit * 500) && unit < 1e15) unit *= base;
    const step = unit * [1, 2, 5, 10, 20, 50, 100, 200, 500].find((each) => fits(unit * each));
    axis.ticks = [];
    for (let at = Math.ceil(axis.min / step) * step; at <= axis.max; at += step) axis.ticks.push({value: at});
  };

  function leaveRoom(axis) {
    const room = (axis.max - axis.min) / 20;
    axis.max += room;
    axis.min = Math.max(axis.min - room, 0);
  }

  function draw(id, series, write) {
    const process = state.process, times = process.times;
    const span = times[times.length - 1] - times[0];
    const text = getComputedStyle(document.body).color;
    const datasets = series.map((one, i) => ({
      label: one.name, borderColor: COLOURS[i % COLOURS.length], backgroundColor: COLOURS[i % COLOURS.length],
      borderWidth: 2, clip: 8, pointRadius: times.length > 60 ? 0 : 2, pointHitRadius: 6,
      borderDash: i >= COLOURS.length ? [6, 4] : [],
      data: times.map((time, at) => ({x: time, y: one.values[at]})),
    }));
    state.charts.push(new Chart(element(id), {
      type: "line",
      data: {datasets},
      options: {
        animation: false, maintainAspectRatio: false, color: text, normalized: true,
        interaction: {mode: "nearest", axis: "x", intersect: false},
        scales: {
          x: {type: "linear", min: times[0], max: times[times.length - 1], afterBuildTicks: timeTicks,
              grid: {color: "#8883"}, ticks: {color: text, maxRotation: 0, callback: (value) => moment(process, value, span)}},
          y: {grid: {color: "#8883"}, bounds: "data", afterDataLimits: leaveRoom, afterBuildTicks: roundTicks(write === size ? 1024 : 1000), ticks: {color: text, callback: write}},
        },
        plugins: {
          legend: {position: "bottom", labels: {boxWidth: 14, generateLabels: legend}},
          tooltip: {callbacks: {title: (items) => items.length ? moment(process, items[0].parsed.x) : "",
                                label: (item) => shortened(item.dataset.label, item.chart) + ": " + write(item.parsed.y)}},
        },
      },
    }));
  }

  function drawAll() {
    state.charts.forEach((chart) => chart.destroy());
    state.charts = [];
    const shown = state.process.classes.filter((one) => state.selected.has(one.name));
    draw("bytes-chart", shown.map((one) => ({name: one.name, values: one.bytes})), size);
    draw("counts-chart", shown.map((one) => ({name: one.name, values: one.counts})), grouped);
    drawFigures("process", FIGURES, size);
    drawFigures("objects", COUNTS, grouped);
  }

  function drawFigures(id, names, write) {
    const known = Object.keys(names).filter((name) => state.process.figures[name].some((value) => value !== null));
    element(id + "-figure").hidden = known.length === 0;
    if (known.length > 0)
      draw(id + "-chart", known.map((name) => ({name: names[name], values: state.process.figures[name]})), write);
  }

  // ---- The table

  // What is in one of the snapshots only has no change that is known; it is ordered by what there is.
  function difference(from, to) {
    return from === null && to === null ? null : (to || 0) - (from || 0);
  }

  function words(from, to, write) {
    if (from === null && to === null) return "–";
    if (from === null) return "new";
    return to === null ? "gone" : (to >= from ? "+" : "") + write(to - from);
  }

  function rowOf(one) {
    const from = Number(element("from").value), to = Number(element("to").value);
    return {name: one.name,
            bytesFrom: one.bytes[from], bytesTo: one.bytes[to], bytesChange: difference(one.bytes[from], one.bytes[to]),
            countFrom: one.counts[from], countTo: one.counts[to], countChange: difference(one.counts[from], one.counts[to])};
  }

  function compare(a, b) {
    const first = a[state.key], second = b[state.key];
    if (first === null || second === null) return (first === null) - (second === null);
    const order = state.key === "name" ? (first < second ? 1 : first > second ? -1 : 0) : first - second;
    return state.up ? order : -order;
  }

  function cell(row, text, kind) {
    const made = row.insertCell();
    made.textContent = text;
    if (kind) made.className = kind;
  }

  const direction = (value) => value > 0 ? "up" : value < 0 ? "down" : "";

  function addRow(body, values) {
    const row = body.insertRow(), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = state.selected.has(values.name);
    box.setAttribute("aria-label", "draw " + values.name);
    box.addEventListener("change", () => {
      if (box.checked) state.selected.add(values.name); else state.selected.delete(values.name);
      drawAll();
    });
    row.insertCell().append(box);
    const name = document.createElement("div");
    name.textContent = name.title = values.name;
    row.insertCell().append(name);
    cell(row, amount(values.bytesFrom, size));
    cell(row, amount(values.bytesTo, size));
    cell(row, words(values.bytesFrom, values.bytesTo, size), direction(values.bytesChange));
    cell(row, amount(values.countFrom, grouped));
    cell(row, amount(values.countTo, grouped));
    cell(row, words(values.countFrom, values.countTo, grouped), direction(values.countChange));
  }

  function fillTable() {
    const wanted = element("search").value.toLowerCase();
    const found = state.process.classes.filter((one) => one.name.toLowerCase().includes(wanted)).map(rowOf);
    const body = element("classes").tBodies[0];
    body.replaceChildren();
    found.sort(compare).slice(0, ROWS_MAX).forEach((values) => addRow(body, values));
    element("matches").textContent = found.length + " of " + state.process.classes.length +
      (state.process.classes.length === 1 ? " class" : " classes");
    document.querySelectorAll("th button").forEach((button) => {
      button.setAttribute("aria-pressed", button.dataset.key === state.key);
      button.toggleAttribute("data-up", button.dataset.key === state.key && state.up);
    });
  }

  // ---- The page

  function addVerdict(list, verdict) {
    const made = document.createElement("div"), name = document.createElement("b");
    const at = verdict.text.indexOf(verdict.name);
    made.className = "verdict " + verdict.kind;
    name.textContent = verdict.name;
    if (at < 0) made.textContent = verdict.text;
    else made.append(verdict.text.slice(0, at), name, verdict.text.slice(at + verdict.name.length));
    list.append(made);
  }

  function fillVerdicts() {
    const list = element("verdicts"), process = state.process;
    list.replaceChildren();
    process.verdicts.forEach((verdict) => addVerdict(list, verdict));
    if (process.note !== null) addVerdict(list, {kind: "process", name: "", text: process.note});
    if (list.children.length === 0) list.textContent = "No class is suspected of a leak.";
    element("held-section").hidden = process.held === null;
    element("held").textContent = process.held || "";
  }

  function growth(one) {
    const known = one.bytes.filter((value) => value !== null);
    return known.length < 2 || one.bytes[one.bytes.length - 1] === null ? -1 : known[known.length - 1] - known[0];
  }

  function select() {
    const process = state.process, leaking = process.verdicts.filter((verdict) => verdict.kind === "suspected");
    const grown = process.classes.filter((one) => growth(one) > 0 || process.classes.length < 6)
      .sort((a, b) => growth(b) - growth(a)).slice(0, 6);
    state.selected = new Set([...leaking.map((verdict) => verdict.name), ...grown.map((one) => one.name)]);
  }

  function fillMoments() {
    for (const id of ["from", "to"]) {
      element(id).replaceChildren(...state.process.times.map((time, at) => {
        const number = state.process.indices[at] + 1;
        const label = state.process.clock === "none" ? "snapshot " + number : number + ": " + moment(state.process, time);
        return new Option(label, at);
      }));
    }
    element("to").value = state.process.times.length - 1;
  }

  function show(index) {
    const process = state.process = data.processes[index];
    element("span").textContent = process.snapshots + (process.snapshots === 1 ? " snapshot" : " snapshots") +
      (process.clock === "wall" ? ", " + moment(process, process.times[0]) + " to " +
       moment(process, process.times[process.times.length - 1]) : "");
    element("omitted").textContent =
      (process.omitted > 0 ? process.omitted + " smaller classes are left out. " : "") +
      (process.times.length < process.snapshots ? process.times.length + " of " + process.snapshots +
       " snapshots are kept, evenly over the time. " : "") +
      (process.exact ? "" : "Sizes in the text of a log are rounded to a tenth of their unit.");
    select();
    fillMoments();
    fillVerdicts();
    fillTable();
    drawAll();
  }

  const folder = folderLength(data.processes.map((process) => process.name));
  data.processes.forEach((process, at) => element("process").add(new Option(process.name.slice(folder), at)));
  element("process").addEventListener("change", (event) => show(Number(event.target.value)));
  for (const id of ["from", "to"]) element(id).addEventListener("change", fillTable);
  element("search").addEventListener("input", fillTable);
  document.querySelectorAll("th button").forEach((button) => button.addEventListener("click", () => {
    state.up = state.key === button.dataset.key && !state.up;
    state.key = button.dataset.key;
    fillTable();
  }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  const first = data.processes.findIndex((process) => process.verdicts.some((verdict) => verdict.kind === "suspected"));
  element("process").value = Math.max(first, 0);
  show(Math.max(first, 0));
})();
