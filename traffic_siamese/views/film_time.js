// Where every point of a training stands at a time. Time is counted in epochs; when the last one is
// over, the faults that were added later enter one after another.
const SECONDS_AT_1X = 12;
const SECONDS_TO_ENTER = 3.5;

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

// Kept epochs may be several apart: epoch to frame number, both fractional.
function frameOf(epochs, epoch) {
  const after = epochs.findIndex((kept) => kept >= epoch);
  if (after < 0) return epochs.length - 1;
  if (after === 0) return 0;
  const span = epochs[after] - epochs[after - 1];
  return after - 1 + (epoch - epochs[after - 1]) / span;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const easeOut = (share) => 1 - (1 - share) ** 3;

// Labels that enter at the end, in the order of their names.
function enteringLabels(run) {
  return run.groups.filter((group) => group.kind === ADDED).map((group) => group.label);
}

// How long the whole film is, in epochs, and how fast it runs at 1x.
function timing(film) {
  const nEpochs = Math.max(...film.runs.map((run) => run.n_epochs));
  const pace = Math.max(nEpochs / SECONDS_AT_1X, 2); // epochs a second
  const nEntering = Math.max(...film.runs.map((run) => enteringLabels(run).length));
  const enter = nEntering ? pace * SECONDS_TO_ENTER * Math.min(nEntering, 3) : 0;
  return { nEpochs, pace, enter, end: nEpochs + enter };
}

// Decode one training out of all bytes; its points go into `buffer`: all x, all y, all z.
function makeRun(run, bytes, bits, when) {
  const nHistory = run.n_points, nAdded = run.added.capture.length;
  const nPoints = nHistory + nAdded;
  const frames = decodeFrames(bytes, run.epochs.length, 3 * nHistory, bits);
  const buffer = new Float32Array(3 * nPoints);
  const entering = enteringLabels(run);

  // Places history points at a fractional frame into any array of the same layout.
  function fill(target, frame) {
    const before = Math.floor(frame), share = frame - before;
    const from = frames[before], to = frames[Math.min(before + 1, frames.length - 1)];
    for (let axis = 0; axis < 3; axis += 1) {
      let out = axis * nPoints;
      for (let at = axis * nHistory; at < (axis + 1) * nHistory; at += 1, out += 1) {
        target[out] = from[at] + (to[at] - from[at]) * share;
      }
    }
  }
  // 0 before a label enters, 1 when it has arrived.
  function arrival(label, time) {
    const turn = entering.indexOf(label);
    if (turn < 0) return 1;
    if (time <= when.nEpochs) return 0;
    const slot = when.enter / entering.length;
    return clamp((time - when.nEpochs - turn * slot) / (0.6 * slot), 0, 1);
  }
  function fillAdded(time) {
    for (const group of run.groups) {
      if (group.kind !== ADDED) continue;
      const share = arrival(group.label, time), away = 1 - easeOut(share);
      for (let point = group.start; point < group.stop; point += 1) {
        for (let axis = 0; axis < 3; axis += 1) {
          const home = run.added.positions[axis * nAdded + point - nHistory];
          const from = axis === 2 ? 1.45 : 0.5; // from above the cube
          buffer[axis * nPoints + point] = share ? home + (from - home) * away : NaN;
        }
      }
    }
  }
  const place = (time) => {
    fill(buffer, frameOf(run.epochs, Math.min(time, run.n_epochs)));
    fillAdded(time);
  };
  // The label that enters or entered last; null while the training runs.
  function newest(time) {
    const inside = entering.filter((label) => arrival(label, time) > 0);
    return inside.length ? inside[inside.length - 1] : null;
  }
  const isOver = (time) => time >= run.n_epochs;
  return { ...run, nHistory, nPoints, frames, buffer, entering, fill, place, arrival, newest, isOver };
}

// Split the bytes of all trainings and decode each.
function decodeRuns(film, bytes) {
  const when = timing(film);
  let at = 0;
  const runs = film.runs.map((run) => {
    const length = 2 * run.epochs.length * 3 * run.n_points;
    at += length;
    return makeRun(run, bytes.subarray(at - length, at), film.bits, when);
  });
  return { when, runs };
}
