// What the server gives: the points of a run, and the epochs that are not here yet.
const STEPS = 65535;

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path}: status ${answer.status}`);
  return answer.json();
}

// Unsigned 16-bit numbers, low byte first, as one Float32Array an epoch: all x, all y, all z.
function decodePositions(base64, nEpochs, nPoints) {
  const text = atob(base64), frames = [];
  let at = 0;
  for (let epoch = 0; epoch < nEpochs; epoch += 1) {
    const frame = new Float32Array(3 * nPoints);
    for (let index = 0; index < frame.length; index += 1, at += 2) {
      frame[index] = (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8)) / STEPS;
    }
    frames.push(frame);
  }
  return frames;
}

// Points come sorted: those of one label and kind stand together and become one trace.
function groupsOf(points) {
  const kindOf = (point) =>
    (points.prototype[point] ? PROTOTYPE : points.held_out[point] ? HELD_OUT : TRAINED);
  const groups = [];
  points.label.forEach((label, point) => {
    const kind = kindOf(point), last = groups.at(-1);
    if (last && last.label === label && last.kind === kind) last.stop = point + 1;
    else groups.push({ label, kind, start: point, stop: point + 1 });
  });
  return groups;
}

function runFrom(points) {
  const nPoints = points.label.length;
  return {
    id: points.run, labels: points.labels, groups: groupsOf(points),
    nPoints, captures: points.captures, networks: points.networks, capture: points.capture,
    network: points.network, start_ms: points.start_ms, buffer: new Float32Array(3 * nPoints), frames: [],
    curves: { loss: [], val_loss: [], separation: [] },
  };
}

// Add the epochs that the run lacks; what is here already is left alone.
function addEpochs(run, found) {
  if (found.first !== run.frames.length) return;
  run.frames.push(...decodePositions(found.positions, found.n_epochs, run.nPoints));
  for (const name of Object.keys(run.curves)) run.curves[name].push(...found.curves[name]);
}

async function fetchRun(id) {
  return runFrom(await ask(`runs/${encodeURIComponent(id)}/points`));
}
async function fetchEpochs(run) {
  const after = run.frames.length - 1;
  addEpochs(run, await ask(`runs/${encodeURIComponent(run.id)}/epochs?after=${after}`));
}

// Keeps one stream of events open, whatever happens to the server, the network or the computer.
// Calls heard(state) at every event and lost() when the stream is gone. A page that nobody looks at
// only asks now and then: browsers open six connections to a server, no more, for all their tabs.
const SILENT_MS = 20000, AGAIN_MS = 1000, LEAVE_MS = 30000, GLANCE_MS = 20000;

function listen(heard, lost) {
  let source = null, timer = 0, leaving = 0;
  const wait = (ms, then) => { clearTimeout(timer); timer = setTimeout(then, ms); };
  const again = () => { lost(); open(); };
  function open() {
    source?.close();
    source = new EventSource("events");
    source.addEventListener("state", (event) => {
      wait(SILENT_MS, again);
      heard(JSON.parse(event.data));
    });
    source.onerror = () => { lost(); wait(AGAIN_MS, again); };
    wait(SILENT_MS, again);
  }
  async function glance() {
    try { heard(await ask("state")); } catch { lost(); }
    if (document.hidden) wait(GLANCE_MS, glance);
  }
  function leave() { source.close(); wait(GLANCE_MS, glance); }
  function look() {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(leave, LEAVE_MS);
    else if (source.readyState !== EventSource.OPEN) open();
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", open);
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
}
