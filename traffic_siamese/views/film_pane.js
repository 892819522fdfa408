// One training on the screen: its cube, what is painted over it, its labels and its caption.
const FINE_PIXELS = 2.2e6; // above it a canvas takes one pixel to a CSS pixel

// `display` says what to show: { shown(run): by group, spheres, trails, labels }.
async function makePane(film, run, node, display) {
  const [cube, canvas, names, caption, title] =
    [".cube", "canvas", ".names", ".caption", ".name"].map((name) => node.querySelector(name));
  title.textContent = run.name;
  title.hidden = film.runs.length < 2;
  const scene = await drawScene(film, run, cube);
  const painter = makePainter(film, run, canvas);
  const labels = makeLabels(film, run, names);
  const state = { time: 0, playing: false };

  function ratio() {
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    return canvas.clientWidth * canvas.clientHeight * sharp ** 2 > FINE_PIXELS ? 1 : sharp;
  }
  // Everything but plotly's own picture.
  function overlay() {
    const camera = scene.camera();
    if (!camera) return;
    const shown = display.shown(run);
    const leaders = labels.place(camera, shown, display.labels);
    painter.paint(camera, {
      ratio: ratio(), time: state.time, shown, leaders, points: state.playing,
      edge: rgbOf(ink("--ink")), cube: rgbOf(ink("--cube")), trails: display.trails,
      spheres: display.spheres && run.isOver(state.time),
    });
  }
  function say() {
    const label = run.newest(state.time);
    caption.hidden = label === null;
    if (label === null) return;
    const name = film.labels[label].name;
    if (caption.dataset.label !== name) {
      caption.dataset.label = name;
      caption.style.setProperty("--colour", film.labels[label].colour);
      caption.querySelector("b").textContent = name;
      caption.querySelector("span").textContent = run.added.captions[name];
    }
  }
  // While it plays, points and cube are painted; at rest plotly draws them, so that points can be
  // asked.
  async function draw(time, playing) {
    state.time = time;
    run.place(time);
    state.playing = playing && scene.camera() !== null && scene.blank();
    if (!state.playing) await scene.move();
    node.classList.toggle("painted", state.playing);
    overlay();
    say();
  }
  async function show() {
    await scene.show(display.shown(run));
    overlay();
  }
  async function paint() {
    await scene.paint();
    overlay();
  }
  scene.onRender(overlay);
  new ResizeObserver(() => {
    labels.measure();
    scene.fit().then(overlay);
  }).observe(canvas);
  return { run, scene, node, draw, show, paint, overlay };
}

// Turn one cube and the other turns with it.
function linkCameras(panes) {
  panes.forEach((pane) => {
    const others = panes.filter((other) => other !== pane);
    const pass = (change) => {
      const turned = Object.keys(change ?? {}).some((key) => key.startsWith("scene.camera"));
      const camera = turned && pane.scene.lookedAtFrom();
      if (camera) others.forEach((other) => other.scene.follow(camera));
    };
    pane.scene.node.on("plotly_relayouting", pass);
    pane.scene.node.on("plotly_relayout", pass);
  });
}
