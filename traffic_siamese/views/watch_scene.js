// The cube: one trace per label and kind, all reading from one buffer of positions.
const TRAINED = 0, HELD_OUT = 1, PROTOTYPE = 2;
const KINDS = [
  { name: "trained on", symbol: "circle", scale: 1, icon: '<circle cx="6.5" cy="6.5" r="4.5"/>' },
  { name: "kept for checking", symbol: "circle-open", scale: 1.25,
    icon: '<circle cx="6.5" cy="6.5" r="4.5" fill="none" stroke-width="1.8"/>' },
  { name: "example in the model", symbol: "diamond", scale: 1.75,
    icon: '<path d="M6.5 .5l6 6-6 6-6-6z" stroke="none"/>' },
];

function hoverText(run, point, group) {
  const time = new Date(run.start_ms[point]).toISOString().replace("T", " ").slice(0, 19);
  const network = run.networks[run.network[point]];
  return [
    `<b>${escapePlotly(run.labels[group.label].name)}</b>`,
    escapePlotly(run.captures[run.capture[point]]), `${time} UTC`,
    ...(network ? [`network ${escapePlotly(network)}`] : []), KINDS[group.kind].name,
  ].join("<br>");
}

// Subarrays share memory with the buffer: writing there moves the points of every trace.
function placesOf(run, group) {
  const axis = (index) =>
    run.buffer.subarray(index * run.nPoints + group.start, index * run.nPoints + group.stop);
  return { x: axis(0), y: axis(1), z: axis(2) };
}

function groupTrace(run, group) {
  const kind = KINDS[group.kind], text = [];
  for (let point = group.start; point < group.stop; point += 1) {
    text.push(hoverText(run, point, group));
  }
  const size = kind.scale * Math.min(Math.max(7 - Math.log10(run.nPoints), 3.6), 5.5);
  return {
    type: "scatter3d", mode: "markers", showlegend: false, name: "", text, ...placesOf(run, group),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      color: run.labels[group.label].colour, symbol: kind.symbol, size, opacity: 1,
      line: { width: group.kind === PROTOTYPE ? 1.5 : 0, color: ink("--ink") },
    },
  };
}

function sceneLayout() {
  const [xaxis, yaxis, zaxis] = ["x", "y", "z"].map(axisLayout);
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", uirevision: "watch",
    hoverlabel: { align: "left", font: { size: 13 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--faint"), activecolor: ink("--ink") },
    scene: { xaxis, yaxis, zaxis, aspectmode: "cube", dragmode: "orbit", uirevision: "watch" },
  };
}

const cameraFor = (node) => ({ eye: eyeFor(node), center: { x: 0, y: 0, z: -0.1 } });

const isSame = (one, two) => ["x", "y", "z"].every((axis) => Math.abs(one[axis] - two[axis]) < 1e-6);

// Returns { move(), show(visibility), paint(), fit() }. What the user's view was before, it stays.
async function drawScene(run, node) {
  const before = node._fullLayout?.scene?.camera;
  let own = cameraFor(node);
  const traces = run.groups.map((group) => groupTrace(run, group));
  const indices = traces.map((_, index) => index);
  const layout = sceneLayout();
  layout.scene.camera = before ?? own;
  await Plotly.newPlot(node, [...traces, edgesTrace()], layout, {
    responsive: true, displaylogo: false, displayModeBar: true,
    modeBarButtons: [["toImage", "resetCameraDefault3d"]],
  });

  // Plotly.restyle works through every default of every trace; handing the moved points straight
  // to the WebGL scene is several times as fast. Where a version of plotly keeps its scene
  // elsewhere, restyle does the same slowly.
  function moveFast() {
    const scene = node._fullLayout?.scene?._scene, full = node._fullData;
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
    const moved = run.groups.map((group) => placesOf(run, group));
    await Plotly.restyle(node, {
      x: moved.map((v) => v.x), y: moved.map((v) => v.y), z: moved.map((v) => v.z),
    }, indices);
  }
  const show = (visible) => Plotly.restyle(node, { visible }, indices);
  async function paint() {
    const { modebar, scene: { xaxis, yaxis, zaxis } } = sceneLayout();
    await Plotly.relayout(node, {
      modebar, "scene.xaxis": xaxis, "scene.yaxis": yaxis, "scene.zaxis": zaxis });
    await Plotly.restyle(node, { "marker.line.color": ink("--ink") }, indices);
    await Plotly.restyle(node, { "line.color": ink("--cube") }, [indices.length]);
  }
  // Fill the room that there is now; who has turned the cube keeps that view.
  async function fit() {
    await Plotly.Plots.resize(node);
    const isOwn = isSame(node._fullLayout.scene.camera.eye, own.eye);
    own = cameraFor(node);
    if (isOwn) await Plotly.relayout(node, { "scene.camera": own });
  }
  return { move, show, paint, fit };
}
