// One log over time: its verdicts, and below them the features that made the difference.
const ROW = { verdict: 110, feature: 84, gap: 34, top: 42, bottom: 34 };
const LEFT = 52, RIGHT = 14;

// Windows overlap; each is drawn as wide as the step to the next one, about its own middle. The
// first and the last of a stretch reach to its ends.
function slots(about, detail) {
  const { start, length } = detail.windows, half = about.stride / 2;
  const isNear = (one, other) => Math.abs(start[one] - start[other]) < 3 * half;
  return start.map((at, index) => {
    const middle = at + length / 2;
    return [isNear(index, index - 1) ? middle - half : at,
      isNear(index, index + 1) ? middle + half : at + length];
  });
}

// One stepped line for each label, at zero where the label is not: thousands of windows, few paths.
function verdictTraces(about, detail) {
  const { label, confidence } = detail.windows;
  const times = slots(about, detail), traces = new Map();
  label.forEach((name, index) => {
    if (!traces.has(name)) traces.set(name, { x: [], y: [] });
    const { x, y } = traces.get(name), [from, to] = times[index];
    if (x.at(-1) !== undefined && Math.abs(x.at(-1) - from) < 1) { x.pop(); y.pop(); }
    x.push(from, to);
    y.push(confidence[index], 0);
  });
  return [...traces].map(([name, { x, y }]) => ({
    type: "scatter", mode: "lines", x, y, fill: "tozeroy", hoverinfo: "skip", showlegend: false,
    fillcolor: colourOf(about, detail.labels[name]), line: { shape: "hv", width: 0 },
  }));
}

function windowWords(detail, index) {
  const { label, second, confidence, odds, reason } = detail.windows;
  const name = detail.labels[label[index]], other = detail.labels[second[index]];
  const lines = [`<b>${escapePlotly(name)}</b> ${percent(confidence[index])} sure`];
  if (other && name === "unknown") lines.push(`most like ${escapePlotly(other)}`);
  else if (other && odds[index]) {
    lines.push(`next: ${escapePlotly(other)}, ${odds[index].toFixed(1)} times as far`);
  }
  const why = detail.reasons[reason[index]];
  if (why) lines.push(...folded(why, 60).map(escapePlotly));
  return lines.join("<br>");
}

function folded(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1).length + word.length > width) lines.push("");
    lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines;
}

// An unseen line: thousands of unseen markers would each be an element of the page.
function hoverTrace(detail) {
  const { start, length, confidence } = detail.windows;
  return {
    type: "scatter", mode: "lines", x: start.map((at) => at + length / 2), y: confidence,
    xaxis: "x2",
    text: start.map((_, index) => windowWords(detail, index)), showlegend: false, name: "",
    hovertemplate: "%{text}<extra></extra>", line: { width: 0 },
    hoverlabel: { bgcolor: ink("--card"), bordercolor: ink("--faint"), font: { color: ink("--ink") } },
  };
}

function featureTrace(drawn, track, axis) {
  const x = [], y = [];
  drawn.start.forEach((at, index) => {
    x.push(at);
    y.push(track.values[index]);
    if (drawn.breakSet.has(index)) { x.push(at + 1); y.push(null); }
  });
  return {
    type: "scatter", mode: "lines", x, y, yaxis: axis,
    showlegend: false, name: "", line: { color: ink("--ink"), width: 1.3 }, connectgaps: false,
    hovertemplate: `%{x|%H:%M:%S}: %{y:.3~g} ${escapePlotly(track.unit)}<extra></extra>`,
  };
}

// The incident's own features first, most telling first; then the rest.
function orderedTracks(detail, chosen) {
  if (!detail.detail) return [];
  const first = detail.incidents[chosen]?.features ?? [];
  const rank = (track) => {
    const place = first.indexOf(track.name);
    return place < 0 ? first.length : place;
  };
  return [...detail.detail.tracks].sort((one, other) => rank(one) - rank(other));
}

// Rows from the top down, as shares of the picture's height.
function rows(nTracks) {
  const inner = ROW.verdict + nTracks * (ROW.gap + ROW.feature);
  const share = (pixels) => Math.max(0, 1 - pixels / inner);
  const domains = [[share(ROW.verdict), 1]];
  for (let index = 0; index < nTracks; index += 1) {
    const top = ROW.verdict + index * (ROW.gap + ROW.feature) + ROW.gap;
    domains.push([share(top + ROW.feature), share(top)]);
  }
  return { domains, height: inner + ROW.top + ROW.bottom };
}

function yAxis(domain, range, ticks) {
  return {
    domain, range, fixedrange: true, nticks: 4, zeroline: false, gridcolor: ink("--grid"),
    tickfont: { size: 11, color: ink("--soft") }, rangemode: "tozero", ...ticks,
  };
}

function rowTitle(text, unit, y) {
  const soft = unit ? `  <span style="color:${ink("--soft")}">${escapePlotly(unit)}</span>` : "";
  return {
    xref: "paper", yref: "paper", x: 0, y, xanchor: "left", yanchor: "bottom", showarrow: false,
    text: `<b>${escapePlotly(text)}</b>${soft}`, font: { size: 12.5, color: ink("--ink") },
  };
}

// The band as it lies in its row; where normal is one value, a line of some pixels.
function normalShapes(track, axis, height) {
  const [low, centre, high] = track.normal, thin = height / 60;
  const wide = high - low < thin ? [centre - thin / 2, centre + thin / 2] : [low, high];
  const common = { xref: "paper", x0: 0, x1: 1, yref: axis, layer: "below" };
  return [
    { ...common, type: "rect", y0: wide[0], y1: wide[1], line: { width: 0 },
      fillcolor: faint("#12a87c", 0.22) },
    { ...common, type: "line", y0: centre, y1: centre,
      line: { color: "#12a87c", width: 1, dash: "dot" } },
  ];
}

function incidentShapes(about, log, chosen) {
  return log.incidents.map((one, index) => ({
    type: "rect", xref: "x", yref: "paper", x0: one.start, x1: one.end, y0: 0, y1: 1,
    layer: "below", fillcolor: faint(colourOf(about, one.label), index === chosen ? 0.16 : 0.09),
    line: { width: index === chosen ? 1 : 0, color: colourOf(about, one.label) },
  }));
}

// From zero, unless that would press a state that hardly changes into a flat line.
function extent(track) {
  const seen = track.values.filter((value) => value !== null);
  const high = seen.reduce((best, value) => Math.max(best, value), track.normal[2]);
  const low = seen.reduce((best, value) => Math.min(best, value), track.normal[0]);
  const bottom = low > 0 && low < 0.6 * high ? 0 : low;
  const beside = 0.06 * (high - bottom || 1);
  return [bottom === 0 ? 0 : bottom - beside, high + beside];
}

function zoomRange(about, log, chosen) {
  const one = log.incidents[chosen];
  if (!one) return [log.start, log.end];
  const beside = Math.max(4 * about.stride, 0.5 * (one.end - one.start));
  return [Math.max(log.start, one.start - beside), Math.min(log.end, one.end + beside)];
}

function timeAxis(range, width, anchor) {
  return {
    type: "date", range, anchor, ...timeTicks(range, width), gridcolor: ink("--grid"), zeroline: false,
    tickfont: { size: 11.5, color: ink("--soft") }, hoverformat: "%H:%M:%S", tickangle: 0,
    showspikes: true, spikemode: "across", spikethickness: 1, spikedash: "dot",
    spikecolor: ink("--faint"),
  };
}

function timelineLayout(about, log, detail, chosen, width) {
  const tracks = orderedTracks(detail, chosen), { domains, height } = rows(tracks.length);
  const range = zoomRange(about, log, chosen);
  const layout = {
    height, margin: { l: LEFT, r: RIGHT, t: ROW.top, b: ROW.bottom }, dragmode: "zoom",
    paper_bgcolor: "rgba(0,0,0,0)", font: { family: FONT }, plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    hoverlabel: { align: "left", font: { size: 12.5 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--faint"), activecolor: ink("--ink") },
    xaxis: timeAxis(range, width, tracks.length ? `y${tracks.length + 1}` : "y"),
    // The same times again above the verdicts: the picture may be taller than the screen.
    xaxis2: {
      ...timeAxis(range, width, "y"), side: "top", overlaying: "x", matches: "x",
      showgrid: false },
    yaxis: yAxis(domains[0], [0, 1.04], {
      tickvals: [0, 0.5, 1], ticktext: ["0 %", "50 %", "100 %"] }),
    annotations: [],
    shapes: incidentShapes(about, log, chosen),
  };
  tracks.forEach((track, index) => {
    const [low, high] = extent(track), axis = `yaxis${index + 2}`;
    layout[axis] = yAxis(domains[index + 1], [low, high]);
    layout.annotations.push(rowTitle(track.title, track.unit, domains[index + 1][1]));
    layout.shapes.push(...normalShapes(track, `y${index + 2}`, high - low));
  });
  return layout;
}

function timelineTraces(about, detail, chosen) {
  const drawn = detail.detail;
  const features = orderedTracks(detail, chosen)
    .map((track, index) => featureTrace(drawn, track, `y${index + 2}`));
  return [...verdictTraces(about, detail), hoverTrace(detail), ...features];
}

// chosen: number of the incident to show, or -1 for the whole log.
async function drawTimeline(node, about, log, detail, chosen) {
  const config = {
    responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]],
    scrollZoom: false,
  };
  const width = node.clientWidth - LEFT - RIGHT, isNew = !node._fullLayout;
  const layout = timelineLayout(about, log, detail, chosen, width);
  await Plotly.react(node, timelineTraces(about, detail, chosen), layout, config);
  if (isNew) keepTicks(node);
}
