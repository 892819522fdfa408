// All logs: search, filters, order, the list of logs and the list of their incidents.
const STATES = [
  ["all", "All", () => true],
  ["faulty", "Incidents", (log) => log.incidents.length > 0],
  ["warned", "Warnings", (log) => log.warnings.length > 0],
  ["failed", "Not read", (log) => log.error !== ""],
];
const troubleOf = (log) => log.incidents.reduce((sum, one) => sum + one.end - one.start, 0);
const byText = new Intl.Collator("en", { numeric: true }).compare;
const labelOf = (log) => longestIncident(log)?.label ?? "~";
const ORDERS = [
  ["trouble", "Longest trouble first", (one, other) => other.trouble - one.trouble],
  ["given", "As given", (one, other) => one.index - other.index],
  ["time", "Newest first", (one, other) => (other.start ?? -Infinity) - (one.start ?? -Infinity)],
  ["oldest", "Oldest first", (one, other) => (one.start ?? Infinity) - (other.start ?? Infinity)],
  ["name", "By name", (one, other) => byText(one.name, other.name)],
  ["fault", "By fault", (one, other) => byText(labelOf(one), labelOf(other))],
];

// What every row needs, once; two logs of one name get different addresses.
function prepareLogs(logs) {
  const seen = new Map(), common = commonFolders(logs.map((log) => log.name));
  logs.forEach((log, index) => {
    const nth = (seen.get(log.name) ?? 0) + 1;
    seen.set(log.name, nth);
    log.index = index;
    log.anchor = nth > 1 ? `${log.name} (${nth})` : log.name;
    log.brief = pathParts(log.name.slice(common));
    log.trouble = log.error ? 0.5 : troubleOf(log); // what failed comes before what is normal
    const said = log.incidents.map((one) => `${one.label} ${one.reason}`);
    log.text = [log.name, log.error, ...log.warnings, ...said].join("\n").toLowerCase();
  });
}


function strip(about, log) {
  const bar = make("div", { class: log.error ? "strip failed" : "strip" });
  const width = log.end - log.start || 1;
  for (const one of log.incidents) {
    const mark = make("i", { colour: colourOf(about, one.label) });
    mark.style.left = `${(100 * (one.start - log.start)) / width}%`;
    mark.style.width = `max(3px, ${(100 * (one.end - one.start)) / width}%)`;
    bar.append(mark);
  }
  return bar;
}

function logRow(about, log, chosen) {
  const row = make("a", {
    class: "log", role: "option", href: addressOf(log), tabindex: "-1", id: `row-${log.index}`,
    title: log.name, "aria-selected": String(chosen) });
  row.append(
    make("span", { class: "line" },
      make("span", { class: "name" }, make("small", {}, log.brief.folder),
        make("span", {}, log.brief.file)),
      make("span", { class: "when" }, log.start === null ? "" : briefly(log.start))),
    make("span", { class: "line" }, strip(about, log),
      make("span", { class: log.error ? "says bad" : log.incidents.length ? "says" : "says calm" },
        ...(log.warnings.length ? [make("b", { title: log.warnings.join("\n") }, "⚠ ")] : []),
        summary(log))));
  return row;
}

function incidentRow(about, { log, at }) {
  const one = log.incidents[at];
  return make("a", { class: "found", href: addressOf(log, at), title: one.reason,
    colour: colourOf(about, one.label) },
    make("span", { class: "what" }, make("i"), one.label),
    make("span", { class: "when" }, `${day(one.start)} ${span(one.start, one.end)}`),
    make("span", { class: "where" }, log.brief.folder + log.brief.file),
    make("span", { class: "why" }, one.reason));
}

// Returns { apply, step, choose }: filter again, move by rows, mark a log as the open one.
function drawOverview(about, logs, open) {
  const asked = { text: "", state: "all", labels: new Set(), order: ORDERS[0][0] };
  let shown = logs, chosen = -1;
  const list = virtualList($("logs"), {
    rowHeight: 62, makeRow: (log) => logRow(about, log, log.index === chosen) });
  const found = virtualList($("found"), {
    rowHeight: 58, makeRow: (item) => incidentRow(about, item) });

  function apply() {
    const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
    const state = STATES.find(([key]) => key === asked.state)[2];
    shown = logs.filter((log) => state(log)
      && (!asked.labels.size || log.incidents.some((one) => asked.labels.has(one.label)))
      && words.every((word) => log.text.includes(word)));
    shown.sort(ORDERS.find(([key]) => key === asked.order)[2]);
    list.set(shown);
    const all = shown.flatMap((log) => log.incidents.map((_, at) => ({ log, at })));
    all.sort((one, other) =>
      other.log.incidents[other.at].start - one.log.incidents[one.at].start);
    found.set(all);
    $("shown").textContent = shown.length === logs.length ? count(logs.length, "capture")
      : `${number(shown.length)} of ${count(logs.length, "capture")}`;
    $("nothing").hidden = shown.length > 0;
    $("none-found").hidden = all.length > 0;
    $("n-found").textContent = count(all.length, "incident");
  }
  function choose(index) {
    chosen = index;
    list.refresh();
    const place = shown.findIndex((log) => log.index === index);
    if (place >= 0) list.reveal(place);
    $("logs").setAttribute("aria-activedescendant", place >= 0 ? `row-${index}` : "");
  }
  function step(by) {
    const place = shown.findIndex((log) => log.index === chosen);
    const next = Math.min(Math.max(place + by, 0), shown.length - 1);
    if (next >= 0 && next !== place) open(shown[next]);
  }
  drawFilters(about, logs, asked, apply);
  apply();
  return { apply, step, choose, shown: () => shown };
}

function pressable(text, total, pressed, colour) {
  const button = make("button", { type: "button", "aria-pressed": String(pressed), colour });
  if (colour) button.append(make("i"));
  button.append(make("span", { title: text }, text), make("small", {}, number(total)));
  return button;
}

function drawFilters(about, logs, asked, apply) {
  const buttons = STATES.map(([key, text, holds]) => {
    const total = logs.filter(holds).length;
    const button = pressable(text, total, key === "all");
    button.hidden = total === 0 && key !== "all";
    button.addEventListener("click", () => {
      asked.state = key;
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      apply();
    });
    return button;
  });
  $("states").append(...buttons);
  const names = [...new Set(logs.flatMap((log) => log.incidents.map((one) => one.label)))];
  for (const name of names.sort(byText)) {
    const total = logs.filter((log) => log.incidents.some((one) => one.label === name)).length;
    const button = pressable(name, total, false, colourOf(about, name));
    button.addEventListener("click", () => {
      const on = !asked.labels.delete(name);
      if (on) asked.labels.add(name);
      button.setAttribute("aria-pressed", String(on));
      apply();
    });
    $("labels").append(button);
  }
  for (const [key, text] of ORDERS) $("order").append(make("option", { value: key }, text));
  $("order").addEventListener("change", () => { asked.order = $("order").value; apply(); });
  $("search").addEventListener("input", () => { asked.text = $("search").value; apply(); });
}
