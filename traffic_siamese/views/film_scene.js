// The cube: one plotly trace per label and kind, all reading from one buffer of positions.
const TRAINED = 0, HELD_OUT = 1, PROTOTYPE = 2, ADDED = 3;
const MARKERS = [
  { symbol: "circle", scale: 1 },
  { symbol: "circle-open", scale: 1.25 },
  { symbol: "diamond", scale: 1.75 },
  { symbol: "diamond", scale: 1.75 },
];

const markerSize = (run, kind) =>
  MARKERS[kind].scale * Math.min(Math.max(7 - Math.log10(run.nPoints), 3.6), 5.5);

function hoverText(film, run, point, group) {
  const added = point >= run.nHistory, row = point - run.nHistory;
  const capture = added ? run.added.capture[row] : run.captures[run.capture[point]];
  const network = added ? run.added.network[row] : run.networks[run.network[point]];
  const time = added ? run.added.start[row] : new Date(run.start_ms[point]).toISOString();
  const kind = run.held_out[point] ? "held out" : "trained on";
  return [
    `<b>${escapePlotly(film.labels[group.label].name)}</b>`,
    escapePlotly(capture),
    ...(time ? [`${escapePlotly(time.replace("T", " ").slice(0, 19))} UTC`] : []),
    ...(network ? [`network ${escapePlotly(network)}`] : []),
    ["trained on", "held out", `prototype, ${kind}`, "added later, never trained on"][group.kind],
  ].join("<br>");
}

// Subarrays share memory with the buffer: writing there moves the points of every trace.
function views(run, group) {
  const axis = (index) =>
    run.buffer.subarray(index * run.nPoints + group.start, index * run.nPoints + group.stop);
  return { x: axis(0), y: axis(1), z: axis(2) };
}

function groupTrace(film, run, group) {
  const text = [];
  for (let point = group.start; point < group.stop; point += 1) {
    text.push(hoverText(film, run, point, group));
  }
  return {
    type: "scatter3d", mode: "markers", showlegend: false, name: "", text, ...views(run, group),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      color: film.labels[group.label].colour, symbol: MARKERS[group.kind].symbol,
      size: markerSize(run, group.kind), opacity: 1,
      line: { width: group.kind >= PROTOTYPE ? 1.5 : 0, color: ink("--ink") },
    },
  };
}

function sceneLayout(run) {
  const [x, y, z] = run.axes.map(axisLayout);
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", uirevision: "film",
    hoverlabel: { align: "left", font: { size: 13 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--faint"), activecolor: ink("--ink") },
    scene: {
      xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", dragmode: "orbit", uirevision: "film",
    },
  };
}

// What enters at the end is told at the foot of the picture: the cube makes room for it.
function cameraFor(film, node) {
  const entering = film.runs.some((run) => run.added.capture.length);
  return { center: { x: 0, y: 0, z: entering ? -0.17 : -0.1 }, eye: eyeFor(node) };
}

// Column by column, as WebGL keeps matrices.
function multiply(a, b) {
  const out = new Float64Array(16);
  for (let column = 0; column < 4; column += 1) {
    for (let row = 0; row < 4; row += 1) {
      for (let k = 0; k < 4; k += 1) out[4 * column + row] += a[4 * k + row] * b[4 * column + k];
    }
  }
  return out;
}

// Plotly keeps its WebGL scene where only its own code should look; without it, restyle does the
// same slowly, and nothing is painted over the cube.
function insideOf(node) {
  const scene = node._fullLayout?.scene?._scene;
  return scene?.glplot?.cameraParams?.projection && scene.traces ? scene : null;
}

function cameraOf(node) {
  const scene = insideOf(node);
  if (!scene) return null;
  const { projection, view, model } = scene.glplot.cameraParams;
  const [x, y, z] = scene.dataScale;
  const scale = [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1];
  const matrix = multiply(projection, multiply(view, multiply(model, scale)));
  return { matrix, right: [view[0], view[4], view[8]] };
}

// Returns { node, move(), blank(), show(visibility), paint(), camera(), follow(camera), ... }.
async function drawScene(film, run, node) {
  const traces = run.groups.map((group) => groupTrace(film, run, group));
  const indices = traces.map((_, index) => index);
  const layout = sceneLayout(run);
  layout.scene.camera = cameraFor(film, node);
  await Plotly.newPlot(node, [...traces, edgesTrace()], layout, {
    responsive: true, displaylogo: false, displayModeBar: true,
    modeBarButtons: [["toImage", "resetCameraDefault3d"]],
  });
  const nothing = { x: [], y: [], z: [] };
  let isBlank = false;

  // Plotly.restyle works through every default of every trace for each frame; handing the moved
  // points straight to the WebGL scene is several times as fast.
  function update(change) {
    const scene = insideOf(node), full = node._fullData;
    if (!scene) return false;
    for (const index of indices) {
      const drawn = scene.traces[full[index].uid];
      if (full[index].visible !== true) continue;
      if (typeof drawn?.update !== "function") return false;
      drawn.update(change ? { ...full[index], ...change } : full[index]);
    }
    scene.glplot.redraw();
    return true;
  }
  async function move() {
    isBlank = false;
    if (update(null)) return;
    const moved = run.groups.map((group) => views(run, group));
    await Plotly.restyle(node, {
      x: moved.map((v) => v.x), y: moved.map((v) => v.y), z: moved.map((v) => v.z),
    }, indices);
  }
  // Take the points away, because something else paints them while the film plays.
  function blank() {
    if (!isBlank) isBlank = update(nothing);
    return isBlank;
  }
  const show = (visible) => Plotly.restyle(node, { visible }, indices);
  async function paint() {
    const { modebar, scene: { xaxis, yaxis, zaxis } } = sceneLayout(run);
    await Plotly.relayout(node, {
      modebar, "scene.xaxis": xaxis, "scene.yaxis": yaxis, "scene.zaxis": zaxis });
    await Plotly.restyle(node, { "marker.line.color": ink("--ink") }, indices);
    await Plotly.restyle(node, { "line.color": ink("--cube") }, [indices.length]);
  }
  // Look from where another scene is looked at.
  function follow(camera) {
    const scene = insideOf(node);
    if (!scene) return;
    scene.setViewport({ camera, aspectratio: scene.fullSceneLayout.aspectratio });
    scene.glplot.redraw();
  }
  // Plotly looks at its node's size only when the window changes.
  async function fit() {
    const { width, height } = node._fullLayout;
    if (!node.clientWidth || (width === node.clientWidth && height === node.clientHeight)) return;
    await Plotly.Plots.resize(node);
  }
  const lookedAtFrom = () => insideOf(node)?.getCamera();
  // Call back after every picture that plotly draws of the cube.
  function onRender(done) {
    const glplot = insideOf(node)?.glplot;
    if (!glplot) return;
    const before = glplot.onrender;
    glplot.onrender = () => { before?.(); done(); };
  }
  return {
    node, move, blank, show, paint, follow, fit, lookedAtFrom, onRender, camera: () => cameraOf(node),
  };
}
