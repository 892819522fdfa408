// One fault: its examples second by second, how far the others are, where they all lie.
//
//   window.prototype = { state() }   { ready, chosen, drawing, theme }
const WHEN = 0.55; // how dark the seconds are that mattered most
let fault = null, chosen = 0, drawing = false;

function headline() {
  const n = fault.own.length;
  return `${count(n, "example")} in the model “${fault.model}”. A window that lies within ` +
    `${fault.reach} of one of them is taken for ${fault.label}.`;
}

// The file and its folder, which often names the network.
const shortName = (capture) => (capture ?? "").split(/[\\/]/).slice(-2).join("/");

function tabs() {
  return fault.own.map((one, index) => {
    const at = (one.source.start ?? "").slice(11, 19);
    const tab = make("button", { type: "button", "aria-pressed": String(index === chosen) },
      make("span", {}, shortName(one.source.capture) || `example ${index + 1}`), make("small", {}, at));
    tab.addEventListener("click", () => show(index));
    return tab;
  });
}

function whereWords(source) {
  const span = source.start ? `${source.start.slice(0, 10)} ${source.start.slice(11, 19)}–` +
    `${(source.end ?? "").slice(11, 19)} UTC` : "";
  const network = source.network ? `network ${source.network}` : "normal estimated from its capture";
  const origin = source.added_at ? `added ${source.added_at.slice(0, 10)}` : "from training";
  const phase = source.phase && source.phase !== "steady" ? `shows its ${source.phase}` : "";
  return [span, network, origin, phase].filter(Boolean).join(" · ");
}

function describe(one) {
  $("capture").textContent = shortName(one.source.capture) || `example ${chosen + 1}`;
  $("where").textContent = whereWords(one.source);
  $("clauses").replaceChildren(...one.clauses.map((text) => make("li", {}, text)));
  const rest = one.reason.split("; ").slice(one.clauses.length).join("; ");
  $("calm").textContent = one.clauses.length ? rest : one.reason;
}

function valueTrace(one, track, axis) {
  const x = track.values.map((_, index) => index * one.bin_s);
  return {
    type: "scatter", mode: "lines", x: [...x, x.length * one.bin_s],
    y: [...track.values, track.values.at(-1)], yaxis: axis, showlegend: false, name: "",
    line: { color: ink("--ink"), width: 1.6, shape: "hv" },
    hovertemplate: `second %{x}: %{y:.3~g} ${escapePlotly(track.unit)}<extra></extra>`,
  };
}

// Shares of the way to normal; what lies on the far side of it did not matter.
function whenShapes(one, index, axis) {
  const row = one.matters[index];
  if (!row) return [];
  const most = Math.max(...one.matters.flat(), 1e-9), lasts = one.tracks[index].values.length * one.bin_s;
  return row.map((share, part) => ({
    type: "rect", xref: "x", yref: `${axis} domain`, y0: 0, y1: 1, layer: "below", line: { width: 0 },
    x0: (part * lasts) / row.length, x1: ((part + 1) * lasts) / row.length,
    fillcolor: faint(fault.colours[fault.label], (WHEN * Math.max(share, 0)) / most),
  }));
}

function featureLayout(one) {
  const pitch = ROW.gap + ROW.feature, inner = one.tracks.length * pitch;
  const layout = {
    height: inner + 40, margin: { l: LEFT, r: RIGHT, t: 4, b: 36 }, dragmode: false,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: FONT },
    hovermode: "closest", hoverlabel: { align: "left", font: { size: 12.5 } },
    xaxis: {
      range: [0, one.tracks[0].values.length * one.bin_s], anchor: `y${one.tracks.length > 1 ? one.tracks.length : ""}`,
      fixedrange: true, zeroline: false, gridcolor: ink("--grid"), nticks: 9, ticksuffix: " s",
      ticks: "outside", ticklen: 6, tickcolor: "rgba(0,0,0,0)",
      tickfont: { size: 11.5, color: ink("--soft") } },
    annotations: [], shapes: [],
  };
  one.tracks.forEach((track, index) => {
    const top = index * pitch + ROW.gap, domain = [1 - (top + ROW.feature) / inner, 1 - top / inner];
    const range = extent(track), axis = `y${index ? index + 1 : ""}`;
    layout[`yaxis${index ? index + 1 : ""}`] = yAxis(domain.map((share) => Math.max(0, share)), range);
    layout.annotations.push(rowTitle(track.title, track.unit, domain[1]));
    layout.shapes.push(...whenShapes(one, index, axis), ...normalShapes(track, axis, range[1] - range[0]));
  });
  return layout;
}

async function drawFeatures(one) {
  const traces = one.tracks.map((track, index) => valueTrace(one, track, `y${index ? index + 1 : ""}`));
  const layout = featureLayout(one);
  $("features").style.height = `${layout.height}px`;
  await Plotly.react($("features"), traces, layout, { responsive: true, displayModeBar: false });
}

function distanceRows() {
  const farthest = Math.max(fault.reach, ...fault.distances.map(([, value]) => value));
  return fault.distances.map(([label, value]) => {
    const bar = make("b", { colour: fault.colours[label] }), mark = make("u", {});
    bar.style.width = `${(100 * value) / farthest}%`;
    mark.style.left = `${(100 * fault.reach) / farthest}%`;
    return make("div", { class: "distance" }, make("span", { title: label }, label),
      make("div", {}, bar, mark), make("output", {}, value.toFixed(2)));
  });
}

// The chosen example, larger than the others.
function chosenTrace() {
  const mine = fault.examples.filter((one) => one.label === fault.label)[chosen];
  return {
    type: "scatter3d", mode: "markers", hoverinfo: "skip", showlegend: false,
    ...alongAxes([mine.place.map((value) => value / PLACES)]),
    marker: { symbol: "diamond", size: 11, color: fault.colours[fault.label],
      line: { width: 3, color: ink("--ink") } },
  };
}

async function drawPlaces() {
  const node = $("cube"), about = fault, others = fault.distances.map(([label]) => label);
  // The bars beside it tell the colours; more names than these would cover each other.
  const names = [...new Set([fault.label, "normal", ...others.filter((name) => name !== "normal").slice(0, 1)])];
  const layout = cubeLayout(about, nameTags(about, names), node);
  const config = { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetCameraDefault3d"]] };
  await Plotly.react(node, [edgesTrace(), examplesTrace(about), chosenTrace()], layout, config);
}

async function show(index) {
  chosen = (index + fault.own.length) % fault.own.length;
  drawing = true;
  const one = fault.own[chosen];
  $("tabs").replaceChildren(...tabs());
  describe(one);
  await drawFeatures(one);
  await drawPlaces();
  drawing = false;
}

function listen() {
  $("theme").addEventListener("click", async () => {
    setTheme(otherTheme());
    await show(chosen);
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(chosen + step).then(() => $("tabs").children[chosen].focus());
  });
}

async function start() {
  setTheme(usersTheme());
  fault = await unpack("fault-data").json();
  await loadPlotly();
  document.documentElement.style.setProperty("--colour", fault.colours[fault.label]);
  $("headline").textContent = headline();
  $("reach").textContent = fault.distances.length
    ? `Distance of the nearest examples; the line is the reach, ${fault.reach}. A bar that ends before it: the two can be taken for one another.`
    : "The model knows no other fault.";
  $("distances").replaceChildren(...distanceRows());
  $("cube-note").textContent = fault.dim > 3
    ? `Drawn are three of the ${fault.dim} numbers that the model compares: what looks near here may be far apart.` : "";
  $("message").remove();
  $("page").hidden = false;
  $("tabs").hidden = fault.own.length < 2;
  listen();
  await show(0);
  window.prototype = { state: () => ({
    ready: true, chosen, drawing, theme: document.documentElement.dataset.theme }) };
}

start().catch((error) => {
  const message = $("message") ?? document.body.appendChild(make("p", { id: "message" }));
  message.textContent = `This page cannot be shown: ${error.message}. Open it with a newer browser, or write it again.`;
});
