// The player: unpack, keep the time, move the points.
//
// window.film is there for tests and for the curious:
//   state()      { ready, playing, frame, epoch, nFrames, nPoints, visible: {label: bool},
//                  theme, framesDrawn, drawMs }; frame is fractional between two epochs
//   positions()  Float32Array, all x then all y then all z, as they are drawn now
//   play() pause() seek(frame)
const SECONDS_AT_1X = 12;
const SLOW_MS = 60; // a frame that takes longer than this is drawn with fewer pixels
const $ = (id) => document.getElementById(id);

function fromBase64(id) {
  const node = $(id);
  const text = atob(node.textContent);
  node.remove();
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
const unpack = (id) =>
  new Response(new Blob([fromBase64(id)]).stream().pipeThrough(new DecompressionStream("gzip")));

// The inverse of pack_positions: folded changes, low bytes first, to positions in [0, 1].
function decodeFrames(bytes, nFrames, frameLength, bits) {
  const half = nFrames * frameLength, frames = [], scale = 1 / ((1 << bits) - 1);
  const steps = new Int32Array(frameLength);
  for (let frame = 0; frame < nFrames; frame += 1) {
    const positions = new Float32Array(frameLength);
    for (let index = 0; index < frameLength; index += 1) {
      const at = frame * frameLength + index;
      const folded = bytes[at] | (bytes[half + at] << 8);
      steps[index] += (folded >>> 1) ^ -(folded & 1);
      positions[index] = steps[index] * scale;
    }
    frames.push(positions);
  }
  return frames;
}

function fillBetween(buffer, frames, frame) {
  const before = Math.floor(frame), share = frame - before;
  const from = frames[before], to = frames[Math.min(before + 1, frames.length - 1)];
  for (let index = 0; index < buffer.length; index += 1) {
    buffer[index] = from[index] + (to[index] - from[index]) * share;
  }
}

// Kept epochs may be several apart: frame number to epoch and back, both fractional.
function epochOf(epochs, frame) {
  const before = Math.floor(frame), after = Math.min(before + 1, epochs.length - 1);
  return epochs[before] + (epochs[after] - epochs[before]) * (frame - before);
}
function frameOf(epochs, epoch) {
  const after = epochs.findIndex((kept) => kept >= epoch);
  if (after <= 0) return 0;
  const span = epochs[after] - epochs[after - 1];
  return after - 1 + (epoch - epochs[after - 1]) / span;
}

function toggleButton(parent, text, colour, onPress) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  const span = document.createElement("span");
  span.textContent = text;
  span.title = text;
  const mark = document.createElement("i");
  if (colour) { mark.style.setProperty("--colour", colour); button.append(mark); }
  button.append(span);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    onPress(on);
  });
  parent.append(button);
  return button;
}

const KINDS = [
  ["trained on", '<circle cx="6.5" cy="6.5" r="4.5"/>'],
  ["held out", '<circle cx="6.5" cy="6.5" r="4.5" fill="none" stroke-width="1.8"/>'],
  ["prototype", '<path d="M6.5 .5l6 6-6 6-6-6z" stroke="none"/>'],
];

function drawLegend(film, visible, apply) {
  film.labels.forEach((label, index) => {
    const button = toggleButton($("legend"), label.name, label.colour, (on) => {
      visible.label[index] = on;
      apply();
    });
    const count = document.createElement("small");
    count.textContent = label.windows.toLocaleString("en");
    count.title = "windows";
    button.append(count);
  });
  KINDS.forEach(([name, shape], kind) => {
    if (!film.groups.some((group) => group.kind === kind)) return;
    const button = toggleButton($("kinds"), name, null, (on) => {
      visible.kind[kind] = on;
      apply();
    });
    button.insertAdjacentHTML("afterbegin", `<svg viewBox="0 0 13 13">${shape}</svg>`);
  });
}

function allCurves(film, seek) {
  const { loss, val_loss, separation, active_triplets } = film.curves;
  const nEpochs = film.n_epochs;
  const one = (name, values, colour, dashed) => ({ name, values, colour, dashed });
  const marks = [
    drawCurves($("loss"), { title: "Loss", nEpochs, format: shortNumber, curves: [
      one("training", loss, "var(--accent)", false),
      one("validation", val_loss, "#d97a1e", true)] }, seek),
    drawCurves($("separation"), { title: "Separation", nEpochs, format: shortNumber,
      curves: [one("between ÷ within labels", separation, "#12a87c", false)] }, seek),
    drawCurves($("active"), { title: "Active triplets", nEpochs, format: percent, top: 1,
      curves: [one("violate the margin", active_triplets, "#b04fd0", false)] }, seek),
  ];
  return (epoch) => marks.forEach((mark) => mark(epoch));
}

function middleOf(buffer, nPoints, group) {
  return [0, 1, 2].map((axis) => {
    const part = buffer.subarray(axis * nPoints + group.start, axis * nPoints + group.stop);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

const isNear = (point, others) => others.some(
  (other) => Math.hypot(...point.map((value, axis) => value - other[axis])) < 0.15);

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

function makePlayer(film, frames, buffer, scene) {
  const last = frames.length - 1;
  const state = {
    frame: 0, playing: false, named: false, coarse: false, framesDrawn: 0, drawMs: 0,
  };
  const visible = { label: film.labels.map(() => true), kind: [true, true, true] };
  const shown = (group) => visible.label[group.label] && visible.kind[group.kind];
  const mark = allCurves(film, (epoch) => { pause(); seek(frameOf(film.epochs, epoch)); });
  let busy = null, lastTick = 0, paceMs = 0;

  function label() {
    const epoch = epochOf(film.epochs, state.frame);
    const [number, total] = [$("epoch").querySelector("b"), $("epoch").querySelector("span")];
    number.textContent = Math.round(epoch);
    total.textContent = ` / ${film.n_epochs}`;
    $("slider").value = state.frame;
    $("slider").setAttribute("aria-valuetext", `epoch ${Math.round(epoch)} of ${film.n_epochs}`);
    mark(epoch);
  }
  async function nameLabels() {
    const groups = film.groups.filter((group) => group.kind === PROTOTYPE);
    const on = state.frame === last && groups.length > 0;
    if (!on && !state.named) return;
    state.named = on;
    const seen = on ? groups.filter(shown) : [];
    const middles = seen.map((group) => middleOf(buffer, film.n_points, group));
    await scene.name(middles.map((middle, index) => nameTag(
      film.labels[seen[index].label], middle, isNear(middle, middles.slice(0, index)))));
  }
  async function draw() {
    const start = performance.now();
    fillBetween(buffer, frames, state.frame);
    label();
    await scene.move();
    if (state.named !== (state.frame === last)) await nameLabels();
    state.drawMs += performance.now() - start;
    state.framesDrawn += 1;
  }
  // One drawing at a time; what is asked for meanwhile is drawn once, with the newest frame.
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
  function seek(frame) {
    state.frame = Math.min(Math.max(frame, 0), last);
    return redraw();
  }
  function tick(now) {
    if (!state.playing) return;
    const elapsed = Math.min(now - lastTick, 250) / 1000;
    lastTick = now;
    paceMs += (1000 * elapsed - paceMs) / 6;
    if (paceMs > SLOW_MS && !state.coarse) scene.coarse(state.coarse = true);
    const pace = Math.max(last / SECONDS_AT_1X, 2) * Number($("speed").value);
    seek(state.frame + elapsed * pace).then(() => {
      if (state.frame >= last) pause();
      else requestAnimationFrame(tick);
    });
  }
  function setPlaying(on) {
    if (!on && state.coarse) scene.coarse(state.coarse = false);
    state.playing = on;
    document.body.classList.toggle("playing", on);
    $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  }
  function play() {
    if (state.playing || last === 0) return;
    if (state.frame >= last) state.frame = 0;
    setPlaying(true);
    lastTick = performance.now();
    paceMs = 0;
    requestAnimationFrame(tick);
  }
  function pause() { setPlaying(false); }
  function step(by) {
    pause();
    return seek(by > 0 ? Math.floor(state.frame) + 1 : Math.ceil(state.frame) - 1);
  }
  async function applyVisible() {
    await scene.show(film.groups.map(shown));
    await nameLabels();
  }
  drawLegend(film, visible, applyVisible);
  return { state, visible, last, play, pause, seek, step, nameLabels };
}

function bindControls(player, scene) {
  const { state, play, pause, seek, step, last } = player;
  const toggle = () => (state.playing ? pause() : play());
  $("slider").max = last;
  $("play").addEventListener("click", toggle);
  $("slider").addEventListener("input", () => { pause(); seek(Number($("slider").value)); });
  $("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    scene.paint().then(player.nameLabels);
  });
  const keys = {
    " ": toggle, ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    Home: () => { pause(); seek(0); }, End: () => { pause(); seek(last); },
  };
  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("select, button") !== null;
    if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (inField && !(event.key.length > 1 && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function expose(film, buffer, player) {
  const { state, visible, play, pause, seek } = player;
  window.film = {
    play, pause, seek, positions: () => buffer.slice(),
    state: () => ({
      ready: true, playing: state.playing, frame: state.frame,
      epoch: Math.round(epochOf(film.epochs, state.frame)), nFrames: player.last + 1,
      nPoints: film.n_points, theme: document.documentElement.dataset.theme,
      visible: Object.fromEntries(film.labels.map((l, i) => [l.name, visible.label[i]])),
      framesDrawn: state.framesDrawn, drawMs: state.drawMs,
    }),
  };
}

async function start() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old to unpack it (it lacks DecompressionStream). "
      + "Use Firefox 113, Chrome 80, Safari 16.4 or later.");
  }
  const library = document.createElement("script");
  library.textContent = await unpack("plotly-data").text();
  document.head.append(library);
  const film = await unpack("scene-data").json();
  const bytes = new Uint8Array(await unpack("frames-data").arrayBuffer());
  const frames = decodeFrames(bytes, film.epochs.length, 3 * film.n_points, film.bits);
  const buffer = frames[0].slice();
  for (const note of film.notes) {
    $("notes").append(Object.assign(document.createElement("li"), { textContent: note }));
  }
  $("epoch").innerHTML = "epoch <b></b><span></span>";
  $("message").hidden = true;
  const scene = await drawScene(film, buffer, $("scene"));
  const player = makePlayer(film, frames, buffer, scene);
  bindControls(player, scene);
  await player.seek(0);
  expose(film, buffer, player);
}

start().catch((error) => {
  $("message").hidden = false;
  $("message").textContent = `The film cannot be shown: ${error.message}`;
});
