// The cube: one trace per label and kind, all reading from one buffer of positions.
const TRAINED = 0, HELD_OUT = 1, PROTOTYPE = 2;
const MARKERS = [
  { symbol: "circle", size: 4, opacity: 0.85 },
  { symbol: "circle-open", size: 5, opacity: 1 },
  { symbol: "diamond", size: 8, opacity: 1 },
];
const CORNERS = [
  [0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1],
  [0, 1, 1], [0, 0, 1], null, [1, 0, 0], [1, 0, 1], null, [1, 1, 0], [1, 1, 1], null,
  [0, 1, 0], [0, 1, 1],
];
const CAMERA = { eye: { x: 1.5, y: 1.25, z: 0.8 }, center: { x: 0, y: 0, z: -0.06 } };

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
  const text = [];
  for (let point = group.start; point < group.stop; point += 1) {
    text.push(hoverText(film, point, group));
  }
  return {
    type: "scatter3d", mode: "markers", showlegend: false, name: "", text,
    ...views(film, buffer, group),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      color: label.colour, ...MARKERS[group.kind],
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
function nameTrace(film) {
  const groups = film.groups.filter((group) => group.kind === PROTOTYPE);
  return {
    type: "scatter3d", mode: "text", hoverinfo: "skip", showlegend: false, visible: false,
    x: groups.map(() => 0.5), y: groups.map(() => 0.5), z: groups.map(() => 0.5),
    text: groups.map((group) => escapeHover(film.labels[group.label].name)),
    textposition: "top center", textfont: { size: 14, color: ink("--ink") },
  };
}

function axisLayout(title) {
  return {
    range: [-0.02, 1.02], autorange: false, tickvals: [0, 0.5, 1], ticktext: ["0", "½", "1"],
    title: { text: title, font: { size: 13, color: ink("--soft") } },
    tickfont: { size: 11, color: ink("--soft") }, gridcolor: ink("--grid"), showbackground: false,
    zeroline: false, showspikes: false, showline: false, ticks: "",
  };
}

function sceneLayout(film) {
  const [x, y, z] = film.axes.map(axisLayout);
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", uirevision: "film",
    hoverlabel: { align: "left", font: { size: 13 } },
    scene: {
      xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", dragmode: "orbit", camera: CAMERA,
      uirevision: "film",
    },
  };
}

// Returns { move(), show(visibility), name(names), paint() } over the drawn plot.
async function drawScene(film, buffer, node) {
  const traces = film.groups.map((group) => groupTrace(film, buffer, group));
  const nGroups = traces.length;
  const config = {
    responsive: true, displaylogo: false, modeBarButtonsToRemove: ["resetCameraLastSave3d"],
  };
  await Plotly.newPlot(
    node, [...traces, cubeTrace(), nameTrace(film)], sceneLayout(film), config);
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
  const name = (names) => Plotly.restyle(node, names, [nGroups + 1]);
  async function paint() {
    const layout = sceneLayout(film);
    delete layout.scene.camera;
    await Plotly.relayout(node, { "scene.xaxis": layout.scene.xaxis,
      "scene.yaxis": layout.scene.yaxis, "scene.zaxis": layout.scene.zaxis });
    await Plotly.restyle(node, { "marker.line.color": ink("--ink") }, indices);
    await Plotly.restyle(node, { "line.color": ink("--cube") }, [nGroups]);
    await name({ "textfont.color": ink("--ink") });
  }
  return { move, show, name, paint };
}
