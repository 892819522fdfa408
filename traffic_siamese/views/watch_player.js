// Shows one epoch of a run, or a place between two, and glides there when another is asked for.
const GLIDE_MS = 700, GLIDE_PER_EPOCH_MS = 110, LONGEST_GLIDE_MS = 9000;

function placeBetween(run, frame) {
  const before = Math.min(Math.floor(frame), run.frames.length - 1), share = frame - before;
  const from = run.frames[before], to = run.frames[Math.min(before + 1, run.frames.length - 1)];
  const { buffer } = run;
  for (let index = 0; index < buffer.length; index += 1) {
    buffer[index] = from[index] + (to[index] - from[index]) * share;
  }
}

const glideMs = (distance) => (distance === 0 ? 0
  : Math.min(Math.max(GLIDE_MS, distance * GLIDE_PER_EPOCH_MS), LONGEST_GLIDE_MS));
const hurries = () => document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches;

// `drawn(frame)` is called after every picture.
function makePlayer(run, scene, drawn) {
  const state = { frame: run.frames.length - 1, following: true, pictures: 0 };
  let glide = null, asked = 0, busy = false, again = false;

  async function draw() {
    if (busy) { again = true; return; }
    busy = true;
    do {
      again = false;
      placeBetween(run, state.frame);
      drawn(state.frame);
      await scene.move();
      state.pictures += 1;
    } while (again);
    busy = false;
  }
  function tick(now) {
    asked = 0;
    if (!glide) return;
    glide.start ??= now;
    const share = glide.ms > 0 ? Math.min((now - glide.start) / glide.ms, 1) : 1;
    state.frame = glide.from + (glide.to - glide.from) * share;
    if (share === 1) glide = null;
    draw().then(() => { if (glide && !asked) asked = requestAnimationFrame(tick); });
  }
  function glideTo(frame) {
    if (hurries()) { glide = null; state.frame = frame; draw(); return; }
    glide = { from: state.frame, to: frame, ms: glideMs(Math.abs(frame - state.frame)), start: null };
    if (!asked) asked = requestAnimationFrame(tick);
  }
  const newest = () => run.frames.length - 1;
  function follow() { state.following = true; glideTo(newest()); }
  function seek(frame) {
    glide = null;
    state.frame = Math.min(Math.max(frame, 0), newest());
    state.following = state.frame === newest();
    draw();
  }
  function step(by) { seek(by > 0 ? Math.floor(state.frame) + 1 : Math.ceil(state.frame) - 1); }
  function replay() { seek(0); follow(); }
  // New epochs have come.
  function grown() { if (state.following) glideTo(newest()); else drawn(state.frame); }
  return { state, draw, follow, seek, step, replay, grown, newest };
}
