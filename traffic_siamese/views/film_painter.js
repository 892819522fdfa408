// What is painted over the cube: spheres around the prototypes, trails, the labels' leader lines,
// and, while the film plays, the points themselves.
const N_LAYERS = 256;
const DRAWN_CIRCLE = 1.85, DRAWN_DIAMOND = 2.7; // pixels across plotly's markers of size 1

// Where a point of the cube is seen: pixels across, pixels down, and how far away.
function seen([x, y, z], { matrix: m }, width, height) {
  const w = m[3] * x + m[7] * y + m[11] * z + m[15];
  return [
    width * (0.5 + (0.5 * (m[0] * x + m[4] * y + m[8] * z + m[12])) / w),
    height * (0.5 - (0.5 * (m[1] * x + m[5] * y + m[9] * z + m[13])) / w),
    w,
  ];
}

// The same for all points of a buffer of x, y, z, into `out` as across, down, away.
function seeAll(buffer, nPoints, { matrix: m }, width, height, out) {
  for (let point = 0; point < nPoints; point += 1) {
    const x = buffer[point], y = buffer[nPoints + point], z = buffer[2 * nPoints + point];
    const w = m[3] * x + m[7] * y + m[11] * z + m[15];
    out[point] = width * (0.5 + (0.5 * (m[0] * x + m[4] * y + m[8] * z + m[12])) / w);
    out[nPoints + point] =
      height * (0.5 - (0.5 * (m[1] * x + m[5] * y + m[9] * z + m[13])) / w);
    out[2 * nPoints + point] = w;
  }
  return out;
}

// Order the points from the farthest to the nearest, by layers.
function farthestFirst(places, nPoints, order) {
  let near = Infinity, far = -Infinity;
  for (let at = 2 * nPoints; at < 3 * nPoints; at += 1) {
    if (places[at] < near) near = places[at];
    if (places[at] > far) far = places[at];
  }
  const scale = (N_LAYERS - 1) / Math.max(far - near, 1e-9), starts = new Uint32Array(N_LAYERS + 1);
  const layer = (point) => (far - places[2 * nPoints + point]) * scale | 0;
  for (let point = 0; point < nPoints; point += 1) starts[layer(point) + 1] += 1;
  for (let index = 1; index <= N_LAYERS; index += 1) starts[index] += starts[index - 1];
  for (let point = 0; point < nPoints; point += 1) order[starts[layer(point)]++] = point;
  return order;
}

// Sprites as plotly draws its markers, for a number of pixels to a CSS pixel.
function sprites(run, ratio) {
  const radius = (kind) =>
    (ratio * (kind >= PROTOTYPE ? DRAWN_DIAMOND : DRAWN_CIRCLE) * markerSize(run, kind)) / 2;
  const outline = (kind) => ({ shape: "diamond", radius: radius(kind) + 1.6 * ratio });
  return {
    body: [
      makeSprite({ shape: "circle", radius: radius(TRAINED) }),
      makeSprite({ shape: "circle", radius: radius(HELD_OUT), thick: Math.max(1.1, ratio) }),
      makeSprite({ shape: "diamond", radius: radius(PROTOTYPE) }),
      makeSprite({ shape: "diamond", radius: radius(ADDED) }),
    ],
    outline: [null, null, makeSprite(outline(PROTOTYPE)), makeSprite(outline(ADDED))],
  };
}

function makePainter(film, run, canvas) {
  const pixels = makePixels(canvas);
  const colours = film.labels.map((label) => rgbOf(label.colour));
  const groupOf = new Uint16Array(run.nPoints);
  run.groups.forEach((group, index) => groupOf.fill(index, group.start, group.stop));
  const places = new Float32Array(3 * run.nPoints), order = new Uint32Array(run.nPoints);
  const past = new Float32Array(3 * run.nPoints), pastPlaces = new Float32Array(3 * run.nPoints);
  const nextPlaces = new Float32Array(3 * run.nPoints);
  let made = { ratio: 0 };

  function points(shown, edge) {
    farthestFirst(places, run.nPoints, order);
    for (const point of order) {
      const group = run.groups[groupOf[point]];
      if (!shown[groupOf[point]]) continue;
      const x = places[point], y = places[run.nPoints + point], { kind, label } = group;
      if (made.outline[kind]) pixels.marker(x, y, made.outline[kind], edge, 0.9);
      pixels.marker(x, y, made.body[kind], colours[label], 1);
    }
  }
  function trails(shown, time, length, camera) {
    const [width, height] = pixels.size(), now = frameOf(run.epochs, Math.min(time, run.n_epochs));
    let newer = places;
    let spare = [pastPlaces, nextPlaces];
    for (let age = 0; age < length; age += 1) {
      const frame = Math.ceil(now) - 1 - age;
      if (frame < 0) break;
      run.fill(past, frame);
      const older = seeAll(past, run.nPoints, camera, width, height, spare[0]);
      for (let point = 0; point < run.nHistory; point += 1) {
        const group = groupOf[point];
        if (!shown[group]) continue;
        pixels.line(newer[point], newer[run.nPoints + point], older[point],
          older[run.nPoints + point], colours[run.groups[group].label],
          110 * (1 - age / length));
      }
      spare = [newer === places ? spare[1] : newer, older];
      newer = older;
    }
  }
  // Where the spheres of one label are seen, as circles in pixels.
  function circles(label, radius, camera, shown) {
    const [width, height] = pixels.size(), found = [];
    run.groups.forEach((group, index) => {
      if (group.label !== label || group.kind < PROTOTYPE || !shown[index]) return;
      for (let point = group.start; point < group.stop; point += 1) {
        const middle = [0, 1, 2].map((axis) => run.buffer[axis * run.nPoints + point]);
        const side = middle.map((value, axis) => value + radius * camera.right[axis]);
        const [x, y] = seen(middle, camera, width, height);
        const [sx, sy] = seen(side, camera, width, height);
        if (Number.isFinite(x)) found.push({ x, y, radius: Math.hypot(sx - x, sy - y) });
      }
    });
    return found;
  }
  function spheres(shown, time, camera) {
    film.labels.forEach((_, label) => {
      const radius = run.reach[label], grown = run.arrival(label, time);
      if (!radius || (run.entering.includes(label) && grown < 1)) return;
      pixels.area(circles(label, radius, camera, shown), colours[label], 34, 130);
    });
  }
  function cube(camera, rgb) {
    const [width, height] = pixels.size();
    for (let index = 1; index < EDGES.length; index += 1) {
      if (!EDGES[index] || !EDGES[index - 1]) continue;
      const [from, to] = [EDGES[index - 1], EDGES[index]]
        .map((corner) => seen(corner, camera, width, height));
      pixels.line(from[0], from[1], to[0], to[1], rgb, 255);
    }
  }
  // `what` holds: ratio, time, shown (by group), colours of edges, and what to paint.
  function paint(camera, what) {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight]
      .map((length) => Math.max(Math.round(length * what.ratio), 1));
    if (made.ratio !== what.ratio) made = { ratio: what.ratio, ...sprites(run, what.ratio) };
    pixels.resize(width, height);
    pixels.clear();
    seeAll(run.buffer, run.nPoints, camera, width, height, places);
    if (what.points) cube(camera, what.cube);
    if (what.spheres) spheres(what.shown, what.time, camera);
    if (what.trails) trails(what.shown, what.time, what.trails, camera);
    if (what.points) points(what.shown, what.edge);
    for (const { from, to, rgb } of what.leaders) {
      pixels.line(...[...from, ...to].map((value) => value * what.ratio), rgb, 190);
    }
    pixels.flush();
  }
  return { paint };
}
