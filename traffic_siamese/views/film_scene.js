// The cube: one trace per label and kind, all reading from one buffer of positions.
const TRAINED = 0, HELD_OUT = 1, PROTOTYPE = 2;
const MARKERS = [
  { symbol: "circle", scale: 1, opacity: 1 },
  { symbol: "circle-open", scale: 1.25, opacity: 1 },
  { symbol: "diamond", scale: 1.75, opacity: 1 },
];
const CORNERS = [
  [0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1],
  [0, 1, 1], [0, 0, 1], null, [1, 0, 0], [1, 0, 1], null, [1, 1, 0], [1, 1, 1], null,
  [0, 1, 0], [0, 1, 1],
];
const CAMERA = { eye: { x: 1.42, y: 1.18, z: 0.72 }, center: { x: 0, y: 0, z: -0.1 } };

const escapeHover = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function hoverText(film, point, group) {
  const kind = film.held_out[point] ? "held out" : "trained on";
  const time = new Date(film.start_ms[point]).toISOString().replace("T", " ").slice(0, 19);
  const network = film.networks[film.network[point]];
  return [
    `<b>${escapeHover(film.labels[group.label].name)}</b>`,
    escapeHover(film.captures[film.capture[point]]),
    `${time} UTC`,
    ...(network ? [`network ${escapeHover(network)}`] : []),
    group.kind === PROTOTYPE ? `prototype, ${kind}` : kind,
  ].join("<br>");
}

// Subarrays share memory with `buffer`: writing there moves the points of every trace.
function views(film, buffer, group) {
  const axis = (index) =>
    buffer.subarray(index * film.n_points + group.start, index * film.n_points + group.stop);
  return { x: axis(0), y: axis(1), z: axis(2) };
}

function groupTrace(film, buffer, group) {
  const label = film.labels[group.label];
  const { symbol, scale, opacity } = MARKERS[group.kind];
  const size = scale * Math.min(Math.max(7 - Math.log10(film.n_points), 3.6), 5.5);
  const text = [];
  for (let point = group.start; point < group.stop; point += 1) {
    text.push(hoverText(film, point, group));
  }
  return {
    type: "scatter3d", mode: "markers", showlegend: false, name: "", text,
    ...views(film, buffer, group),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      color: label.colour, symbol, size, opacity,
      line: { width: group.kind === PROTOTYPE ? 1.5 : 0, color: ink("--ink") },
    },
  };
}

function cubeTrace() {
  const along = (axis) => CORNERS.map((corner) => (corner ? corner[axis] : null));
  return {
    type: "scatter3d", mode: "lines", hoverinfo: "skip", showlegend: false,
    x: along(0), y: along(1), z: along(2), line: { color: ink("--cube"), width: 2 },
  };
}

// One name per label, at the middle of its prototypes; shown when the film has ended.
function nameTag(label, [x, y, z], below) {
  return {
    x, y, z, text: escapeHover(label.name), showarrow: true, ax: 0, ay: below ? 38 : -38,
    arrowhead: 0, arrowwidth: 1.5, arrowcolor: label.colour, bgcolor: ink("--card"),
    bordercolor: label.colour, borderwidth: 1.5, borderpad: 3,
    font: { size: 13, color: ink("--ink") },
  };
}

function axisLayout(title) {
  return {
    range: [-0.02, 1.02], autorange: false, tickangle: 0, tickvals: [0, 0.5, 1],
    ticktext: ["0", "0.5", "1"], tickfont: { size: 11, color: ink("--soft") }, ticks: "",
    title: { text: title, font: { size: 13, color: ink("--soft") } },
    gridcolor: ink("--grid"), showbackground: false, zeroline: false, showspikes: false,
    showline: false,
  };
}

function sceneLayout(film) {
  const [x, y, z] = film.axes.map(axisLayout);
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", uirevision: "film",
    hoverlabel: { align: "left", font: { size: 13 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--faint"), activecolor: ink("--ink") },
    scene: {
      xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", dragmode: "orbit",
      uirevision: "film",
    },
  };
}

// A narrow picture needs a camera farther off, for the field of view is fixed upwards.
function cameraFor(node) {
  const far = Math.max(1, (1.06 * node.clientHeight) / Math.max(node.clientWidth, 1));
  const { x, y, z } = CAMERA.eye;
  return { ...CAMERA, eye: { x: x * far, y: y * far, z: z * far } };
}

// Returns { move(), show(visibility), name(tags), paint(), coarse(on) } over the drawn plot.
async function drawScene(film, buffer, node) {
  const traces = film.groups.map((group) => groupTrace(film, buffer, group));
  const nGroups = traces.length;
  const config = {
    responsive: true, displaylogo: false, displayModeBar: true,
    modeBarButtons: [["toImage", "resetCameraDefault3d"]],
  };
  const layout = sceneLayout(film);
  layout.scene.camera = cameraFor(node);
  await Plotly.newPlot(node, [...traces, cubeTrace()], layout, config);
  const indices = traces.map((_, index) => index);

  // Plotly.restyle works through every default of every trace for each frame; handing the moved
  // points straight to the WebGL scene is several times as fast. Where a version of plotly keeps
  // its scene elsewhere, restyle does the same slowly.
  function moveFast() {
    const scene = node._fullLayout?.scene?._scene;
    const full = node._fullData;
    if (!scene?.glplot || !scene.traces) return false;
    for (const index of indices) {
      const drawn = scene.traces[full[index].uid];
      if (full[index].visible !== true) continue;
      if (typeof drawn?.update !== "function") return false;
      drawn.update(full[index]);
    }
    scene.glplot.redraw();
    return true;
  }
  async function move() {
    if (moveFast()) return;
    const moved = film.groups.map((group) => views(film, buffer, group));
    await Plotly.restyle(node, {
      x: moved.map((v) => v.x), y: moved.map((v) => v.y), z: moved.map((v) => v.z),
    }, indices);
  }
  const show = (visible) => Plotly.restyle(node, { visible }, indices);
  const name = (tags) => Plotly.relayout(node, { "scene.annotations": tags });
  async function paint() {
    const { modebar, scene: { xaxis, yaxis, zaxis } } = sceneLayout(film);
    await Plotly.relayout(node, {
      modebar, "scene.xaxis": xaxis, "scene.yaxis": yaxis, "scene.zaxis": zaxis });
    await Plotly.restyle(node, { "marker.line.color": ink("--ink") }, indices);
    await Plotly.restyle(node, { "line.color": ink("--cube") }, [nGroups]);
  }
  // Half as many pixels each way while playing on a machine that draws them in software.
  const glplot = node._fullLayout?.scene?._scene?.glplot;
  const sharp = glplot?.pixelRatio;
  function coarse(on) {
    if (!sharp) return;
    glplot.pixelRatio = on ? sharp / 2 : sharp;
    glplot.redraw();
  }
  return { move, show, name, paint, coarse };
}
