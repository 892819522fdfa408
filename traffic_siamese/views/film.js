// The player: unpack, keep the time, let the panes draw.
//
// window.film is there for tests and for the curious. Time is in epochs; beyond the last one the
// faults that were added later enter:
//   state()        { ready, playing, time, epoch, end, nPoints, visible: {label: bool}, display,
//                    theme, framesDrawn, drawMs, painted }
//   positions(run) Float32Array, all x then all y then all z, as they are drawn now
//   play() pause() seek(time)
const LABEL_EVERY_MS = 120;

function curvesOf(film, seek) {
  const one = (name, values, colour, dashed = false) => ({ name, values, colour, dashed });
  const nEpochs = Math.max(...film.runs.map((run) => run.n_epochs));
  const plot = (title, format, curves, top) => {
    const figure = document.createElement("figure");
    $("curves").append(figure);
    return drawCurves(figure, { title, nEpochs, format, curves, top }, seek);
  };
  const losses = ({ curves: { loss, val_loss } }) => [
    one("training", loss, "var(--accent)"), one("held out", val_loss, "#d97a1e", true)];
  const marks = film.runs.length === 1 ? curvesOfOne(film.runs[0].curves, plot, one, losses)
    : curvesOfTwo(film.runs, plot, one, losses);
  return (epoch) => marks.forEach((mark) => mark(epoch));
}

function curvesOfOne(curves, plot, one, losses) {
  return [
    plot("Loss", shortNumber, losses({ curves })),
    plot("Distance", shortNumber, [
      one("different", curves.between, "#12a87c"),
      one("same", curves.within, "#cf2231", true)]),
    plot("Triplets out of order", percent, [
      one("", curves.out_of_order, "#b04fd0")], 1),
  ];
}

function curvesOfTwo(runs, plot, one, losses) {
  const both = (pick) => runs.map((run, at) =>
    one(run.name, pick(run.curves), at ? "#d97a1e" : "var(--accent)", at === 1));
  return [
    plot("Separation", shortNumber, both((c) => c.separation)),
    plot("Triplets out of order", percent, both((c) => c.out_of_order), 1),
    ...runs.map((run) => plot(`Loss of ${run.name}`, shortNumber, losses(run))),
  ];
}

function makePlayer(film, panes, when, visible) {
  const state = { time: 0, playing: false, framesDrawn: 0, drawMs: 0 };
  const mark = curvesOf(film, (epoch) => { pause(); scrub(epoch); });
  let busy = null, lastTick = 0, labelled = 0, settle = null, scrubbed = false;

  function label() {
    const epoch = Math.round(Math.min(state.time, when.nEpochs));
    $("epoch").querySelector("b").textContent = epoch;
    $("epoch").querySelector("span").textContent = ` / ${when.nEpochs}`;
    $("slider").value = state.time;
    $("slider").setAttribute("aria-valuetext", state.time > when.nEpochs
      ? "after the training" : `epoch ${epoch} of ${when.nEpochs}`);
    mark(Math.min(state.time, when.nEpochs));
  }
  // What stands beside the cube is drawn anew less often than the cube while it plays.
  function labelInTime(now) {
    if (state.playing && now - labelled < LABEL_EVERY_MS) return;
    labelled = now;
    label();
  }
  async function draw() {
    const start = performance.now();
    labelInTime(start);
    for (const pane of panes) await pane.draw(state.time, state.playing || scrubbed);
    state.drawMs += performance.now() - start;
    state.framesDrawn += 1;
  }
  // One drawing at a time; what is asked for meanwhile is drawn once, with the newest time.
  function redraw() {
    if (busy) { busy.again = true; return busy.done; }
    const job = { again: false, done: null };
    busy = job;
    job.done = (async () => {
      do { job.again = false; await draw(); } while (job.again);
      busy = null;
    })();
    return job.done;
  }
  function seek(time) {
    state.time = clamp(time, 0, when.end);
    return redraw();
  }
  // Dragging the slider or a curve: paint, and let plotly draw when it comes to rest.
  function scrub(time) {
    scrubbed = true;
    clearTimeout(settle);
    settle = setTimeout(() => { scrubbed = false; redraw(); }, 160);
    return seek(time);
  }
  function tick(now) {
    if (!state.playing) return;
    const elapsed = Math.min(now - lastTick, 250) / 1000;
    lastTick = now;
    seek(state.time + elapsed * when.pace * Number($("speed").value)).then(() => {
      if (state.time >= when.end) pause();
      else requestAnimationFrame(tick);
    });
  }
  function setPlaying(on) {
    state.playing = on;
    document.body.classList.toggle("playing", on);
    $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  }
  function play() {
    if (state.playing || when.end === 0) return;
    if (state.time >= when.end) state.time = 0;
    setPlaying(true);
    lastTick = performance.now();
    requestAnimationFrame(tick);
  }
  function pause() {
    if (!state.playing) return;
    setPlaying(false);
    redraw();
  }
  function step(by) {
    pause();
    const next = by > 0 ? Math.floor(state.time) + 1 : Math.ceil(state.time) - 1;
    return seek(state.time > when.nEpochs && by < 0 ? when.nEpochs : next);
  }
  const each = (name) => async () => { for (const pane of panes) await pane[name](); };
  return { state, when, visible, play, pause, seek, scrub, step,
    applyVisible: each("show"), repaint: each("overlay"), paint: each("paint") };
}

function expose(film, panes, player, display) {
  const { state, visible, when, play, pause, seek } = player;
  window.film = {
    play, pause, seek, positions: (run = 0) => panes[run].run.buffer.slice(),
    state: () => ({
      ready: true, playing: state.playing, time: state.time, end: when.end,
      epoch: Math.round(Math.min(state.time, when.nEpochs)),
      nPoints: panes.reduce((sum, pane) => sum + pane.run.nPoints, 0),
      theme: document.documentElement.dataset.theme,
      display: { labels: display.labels, spheres: display.spheres, trails: display.trails },
      visible: Object.fromEntries(film.labels.map((l, i) => [l.name, visible.label[i]])),
      painted: panes.map((pane) => pane.node.classList.contains("painted")),
      framesDrawn: state.framesDrawn, drawMs: state.drawMs,
    }),
  };
}

// One pane of the template for each training.
function panesFor(film) {
  const [first] = document.querySelectorAll(".pane");
  const nodes = film.runs.map((_, at) => (at ? first.cloneNode(true) : first));
  nodes.slice(1).forEach((node) => first.parentNode.append(node));
  document.body.classList.toggle("two", nodes.length > 1);
  return nodes;
}

function tellNotes(film) {
  for (const run of film.runs) {
    for (const note of run.notes) {
      const item = document.createElement("li");
      item.textContent = film.runs.length > 1 ? `${run.name}: ${note}` : note;
      $("notes").append(item);
    }
  }
}

async function start() {
  setTheme(usersTheme());
  checkBrowser();
  await loadPlotly();
  const film = await takeOut("scene-data").json();
  const bytes = new Uint8Array(await takeOut("frames-data").arrayBuffer());
  const { when, runs } = decodeRuns(film, bytes);
  const visible = { label: film.labels.map(() => true), kind: [true, true, true, true] };
  const display = { labels: true, spheres: true, trails: 0, shown: (run) =>
    run.groups.map((group) => visible.label[group.label] && visible.kind[group.kind]) };
  tellNotes(film);
  $("epoch").innerHTML = "epoch <b></b><span></span>";
  $("message").hidden = true;
  const nodes = panesFor(film), panes = [];
  for (const [at, run] of runs.entries()) {
    run.place(0);
    panes.push(await makePane(film, run, nodes[at], display));
  }
  linkCameras(panes);
  const player = makePlayer(film, panes, when, visible);
  bindControls(film, player, visible, display);
  await player.seek(0);
  expose(film, panes, player, display);
}

start().catch((error) => {
  $("message").hidden = false;
  $("message").textContent = `The film cannot be shown: ${error.message}`;
});
