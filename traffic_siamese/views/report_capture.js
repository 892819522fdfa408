// One log: its incidents in words, its timeline, its place in the cube.

// Texts, times and places as they are used; see `full` in report_data.py.
function readDetail(detail) {
  const { windows, detail: drawn } = detail;
  windows.start = summed(windows.start);
  windows.place = windows.place.map(summed);
  if (drawn) {
    drawn.start = summed(drawn.start);
    drawn.breakSet = new Set(drawn.breaks);
  }
  return detail;
}

// The last few logs stay unpacked, so that stepping back is instant.
const KEPT = 8;
const unpacked = new Map();
async function detailOf(log) {
  if (!$(`log-${log.index}`)) return null;
  if (!unpacked.has(log.index)) {
    const reading = unpack(`log-${log.index}`).json().then(readDetail);
    unpacked.set(log.index, reading);
    if (unpacked.size > KEPT) unpacked.delete(unpacked.keys().next().value);
  }
  return unpacked.get(log.index);
}

function incidentCard(about, log, detail, index, chosen) {
  const one = log.incidents[index], more = detail.incidents[index];
  const card = make("a", {
    class: "incident", href: addressOf(log, index), colour: colourOf(about, one.label),
    "aria-current": index === chosen ? "true" : null, id: `incident-${index + 1}` });
  const words = [runnerUpWords(one, more), index === chosen ? rarityWords(more) : ""];
  card.append(
    make("strong", {}, make("i"), one.label),
    make("span", { class: "when" }, `${span(one.start, one.end)} · ${lasting(one.end - one.start)}`),
    make("span", { class: "sure" }, `${percent(one.confidence)} sure`),
    make("p", {}, one.reason),
    make("p", { class: "next" }, words.filter(Boolean).join(" ")));
  return card;
}

function factsOf(about, log, detail) {
  if (log.error) return "This capture could not be read.";
  const facts = [`${sameDay(log.start, log.end)
    ? `${day(log.start)}, ${span(log.start, log.end)}` : span(log.start, log.end)} UTC`,
  lasting(log.end - log.start),
  `${count(log.windows, "window")} of ${lasting(detail.windows.length)}`];
  const network = detail.detail?.network || about.network;
  facts.push(network ? `compared with the normal of network ${network}`
    : "normal estimated from this capture itself");
  return facts.join(" · ");
}

function drawWords(about, log, detail, chosen) {
  const { folder, file } = pathParts(log.name);
  $("log-name").replaceChildren(make("small", {}, folder), file);
  $("facts").textContent = factsOf(about, log, detail);
  const troubles = [...(log.error ? [["bad", log.error]] : []),
    ...log.warnings.map((text) => ["warned", text])];
  $("troubles").replaceChildren(...troubles.map(([kind, text]) => make("li", { class: kind }, text)));
  $("incidents").replaceChildren(
    ...log.incidents.map((_, index) => incidentCard(about, log, detail, index, chosen)));
  $(`incident-${chosen + 1}`)?.scrollIntoView({ block: "nearest" });
  $("calm").hidden = log.incidents.length > 0 || Boolean(log.error);
  $("whole").hidden = chosen < 0;
  $("whole").href = addressOf(log);
  $("pictures").hidden = !detail;
}

function swatches(about, node, names) {
  node.replaceChildren(...names.map(
    (name) => make("span", { colour: colourOf(about, name) }, make("i"), name)));
}

function cubeNote(about) {
  const shown = about.dim > 3
    ? ` The picture shows 3 of the ${about.dim} numbers that the model compares: what meets here `
      + "may lie apart in the others." : "";
  return "Each dot is a window of traffic; near each other means alike. A window gets the name of "
    + `the nearest example, unless even that one is too far.${shown}`;
}

// Draws a log, and stops where the reader has gone on to another one.
async function drawCapture(about, log, chosen, isWanted) {
  const detail = await detailOf(log);
  if (!isWanted()) return;
  drawWords(about, log, detail, chosen);
  if (!detail) return;
  swatches(about, $("verdict-labels"), detail.labels.filter(
    (name, index) => name && detail.windows.label.includes(index)));
  $("cube-note").textContent = cubeNote(about);
  await loadPlotly();
  if (!isWanted()) return;
  await drawTimeline($("timeline"), about, log, detail, chosen);
  if (!isWanted()) return;
  await drawCube($("cube"), about, log, detail, chosen);
}
