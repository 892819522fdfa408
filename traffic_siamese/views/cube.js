// The unit cube: its edges, and how it is looked at.
const EDGES = [
  [0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1],
  [0, 1, 1], [0, 0, 1], null, [1, 0, 0], [1, 0, 1], null, [1, 1, 0], [1, 1, 1], null,
  [0, 1, 0], [0, 1, 1],
];
const EYE = { x: 1.42, y: 1.18, z: 0.72 };

const alongAxes = (places) => Object.fromEntries(["x", "y", "z"].map(
  (axis, index) => [axis, places.map((place) => (place ? place[index] : null))]));

function edgesTrace() {
  return { type: "scatter3d", mode: "lines", hoverinfo: "skip", showlegend: false,
    ...alongAxes(EDGES), line: { color: ink("--cube"), width: 2 } };
}

// A narrow picture needs a camera farther off, for the field of view is fixed upwards.
function eyeFor(node, times = 1) {
  const far = times * Math.max(1, (1.06 * node.clientHeight) / Math.max(node.clientWidth, 1));
  return { x: EYE.x * far, y: EYE.y * far, z: EYE.z * far };
}
