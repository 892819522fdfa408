// Where a log's windows lie in the cube, beside the examples that the model knows.
const PLACES = 1000;
const MOST_DRAWN = 700; // windows inside an incident, and as many outside; a day has ten thousand

function examplesTrace(about) {
  const known = about.examples;
  const said = known.map((one) => [`<b>${escapePlotly(one.label)}</b>`, "known example",
    escapePlotly(one.capture)].filter(Boolean).join("<br>"));
  return {
    type: "scatter3d", mode: "markers", showlegend: false, name: "", text: said,
    hovertemplate: "%{text}<extra></extra>",
    ...alongAxes(known.map((one) => one.place.map((value) => value / PLACES))),
    marker: { symbol: "diamond", size: 5.5, color: known.map((one) => colourOf(about, one.label)),
      line: { width: 1.2, color: ink("--ink") } },
  };
}

// look: "path" joins the windows in time, "plain" does not, "faint" is for those beside an incident.
function windowsTrace(about, detail, picked, look) {
  const { windows, labels } = detail;
  const time = (index) => `${clock(windows.start[index])} UTC`;
  return {
    type: "scatter3d", mode: look === "path" ? "lines+markers" : "markers", showlegend: false, name: "",
    ...alongAxes(picked.map((index) => windows.place.map((axis) => axis[index] / PLACES))),
    text: picked.map((index) => `${time(index)}<br>${windowWords(detail, index)}`),
    hovertemplate: "%{text}<extra></extra>",
    line: { color: ink("--faint"), width: 1.5 }, opacity: look === "faint" ? 0.35 : 1,
    marker: { size: look === "faint" ? 4 : 5,
      color: picked.map((index) => colourOf(about, labels[windows.label[index]])) },
  };
}

function windowsIn(detail, incident) {
  const { start, length } = detail.windows, inside = [], outside = [];
  start.forEach((at, index) => {
    const middle = at + length / 2;
    const within = !incident || (middle >= incident.start && middle <= incident.end);
    (within ? inside : outside).push(index);
  });
  return { inside, outside };
}

// At even steps, the first one among them.
function thinned(all, most) {
  const step = Math.max(1, Math.ceil(all.length / most));
  return all.filter((_, index) => index % step === 0);
}

// Names stand at the middle of a label's examples; only of labels that the windows are near to.
function nameTags(about, names) {
  const middles = [];
  return names.flatMap((name) => {
    const places = about.examples.filter((one) => one.label === name).map((one) => one.place);
    if (!places.length) return [];
    const middle = [0, 1, 2].map(
      (axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length / PLACES);
    const near = middles.filter(
      (other) => Math.hypot(...other.map((value, axis) => value - middle[axis])) < 0.2).length;
    middles.push(middle);
    const [x, y, z] = middle, colour = colourOf(about, name);
    return [{ x, y, z, text: escapePlotly(name), showarrow: true, ax: near % 2 ? 34 : -34,
      ay: (near > 1 ? 1 : -1) * (30 + 8 * near), arrowhead: 0, arrowwidth: 1.3, arrowcolor: colour,
      bgcolor: ink("--card"), bordercolor: colour, borderwidth: 1.3, borderpad: 2,
      font: { size: 12, color: ink("--ink") } }];
  });
}

function cubeLayout(about, tags, node) {
  const axis = () => ({
    range: [-0.02, 1.02], autorange: false, tickvals: [0, 0.5, 1], showticklabels: false,
    ticks: "", title: { text: "" }, gridcolor: ink("--grid"), showbackground: false,
    zeroline: false, showspikes: false, showline: false });
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", font: { family: FONT }, uirevision: "cube",
    hoverlabel: { align: "left", font: { size: 12.5 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--faint"), activecolor: ink("--ink") },
    scene: {
      xaxis: axis(), yaxis: axis(), zaxis: axis(), aspectmode: "cube", dragmode: "orbit",
      uirevision: "cube", annotations: tags,
      camera: { eye: eyeFor(node, 1.1), center: { x: 0, y: 0, z: -0.1 } },
    },
  };
}

function namesToShow(detail, picked, chosen) {
  const seen = picked.map((index) => detail.labels[detail.windows.label[index]]);
  const second = chosen < 0 ? [] : [detail.incidents[chosen].second];
  return [...new Set(["normal", ...seen, ...second])];
}

async function drawCube(node, about, log, detail, chosen) {
  const { inside, outside } = windowsIn(detail, log.incidents[chosen]);
  const traces = [edgesTrace(), examplesTrace(about),
    windowsTrace(about, detail, thinned(outside, MOST_DRAWN), "faint"),
    windowsTrace(about, detail, thinned(inside, MOST_DRAWN), chosen < 0 ? "plain" : "path")];
  const config = { responsive: true, displaylogo: false,
    modeBarButtons: [["toImage", "resetCameraDefault3d"]] };
  const layout = cubeLayout(about, nameTags(about, namesToShow(detail, inside, chosen)), node);
  await Plotly.react(node, traces, layout, config);
}
