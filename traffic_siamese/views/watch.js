// The live page: what the server says of the training, and its points as they move.
//
// window.watching is there for tests and for the curious:
//   state()      { phase, run, epoch, newest, following, linked, pictures }
//   positions()  Float32Array, all x then all y then all z, as they are drawn now
const page = { told: null, toldAt: 0, run: null, scene: null, player: null, linked: false, visible: null };

function clockText(seconds) {
  const whole = Math.max(0, Math.round(seconds)), hours = Math.floor(whole / 3600);
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor((whole % 3600) / 60);
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

function showTime() {
  const told = page.told, eta = $("eta");
  if (!told) return;
  if (told.phase !== "training") { eta.textContent = ""; return; }
  if (told.eta_s === null) { eta.textContent = "time to go known after the first epoch"; return; }
  const left = told.eta_s - (performance.now() - page.toldAt) / 1000;
  if (left < 0.5) { eta.textContent = "any moment now"; return; }
  eta.innerHTML = "<b></b> to go at most";
  eta.firstChild.textContent = clockText(left);
}

function showStatus() {
  const { told } = page;
  const known = told.n_epochs > 0 && told.run !== null, of = `${told.epoch} of ${told.n_epochs}`;
  document.body.dataset.phase = told.phase;
  $("title").textContent = `Training of ${told.model}`;
  $("headline").textContent = told.phase === "training" ? `Training: epoch ${of}` : told.headline;
  $("detail").textContent = told.detail;
  $("command").textContent = told.command;
  $("progress").hidden = !known;
  $("progress").setAttribute("aria-valuemax", told.n_epochs);
  $("progress").setAttribute("aria-valuenow", told.epoch);
  $("progress").firstChild.style.width = known ? `${(100 * told.epoch) / told.n_epochs}%` : "0";
  const short = { training: `${told.epoch}/${told.n_epochs}`, done: "done", "broken off": "broken off" };
  document.title = `${short[told.phase] ?? told.phase} · ${told.model}`;
  showTime();
}

function showLink(on) {
  page.linked = on;
  $("link").dataset.on = on;
  $("link").textContent = on ? "connected" : "Connection lost: what you see may be old. Trying again…";
}

function toggleButton(parent, text, onPress) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  const span = Object.assign(document.createElement("span"), { textContent: text, title: text });
  button.append(span);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    onPress(on);
  });
  parent.append(button);
  return button;
}

function drawLegend(run, apply) {
  const visible = { label: run.labels.map(() => true), kind: KINDS.map(() => true) };
  $("legend").replaceChildren();
  $("kinds").replaceChildren();
  run.labels.forEach((label, index) => {
    const button = toggleButton($("legend"), label.name, (on) => { visible.label[index] = on; apply(); });
    const mark = document.createElement("i");
    mark.style.setProperty("--colour", label.colour);
    const count = document.createElement("small");
    count.textContent = label.windows.toLocaleString("en");
    count.title = "windows";
    button.prepend(mark);
    button.append(count);
  });
  KINDS.forEach(({ name, icon }, kind) => {
    if (!run.groups.some((group) => group.kind === kind)) return;
    const button = toggleButton($("kinds"), name, (on) => { visible.kind[kind] = on; apply(); });
    button.insertAdjacentHTML("afterbegin", `<svg viewBox="0 0 13 13">${icon}</svg>`);
  });
  return visible;
}

// Drawn anew whenever an epoch has come; returns mark(epoch).
function drawAllCurves(run, nEpochs, seek) {
  const { loss, val_loss, separation } = run.curves;
  const marks = [["loss", "Loss", [
    { name: "training", values: loss, colour: "var(--accent)", dashed: false },
    { name: "checking", values: val_loss, colour: "#d97a1e", dashed: true },
  ]], ["separation", "Separation", [
    { name: "", values: separation, colour: "#12a87c", dashed: false },
  ]]].map(([id, title, curves]) => drawCurves($(id), { title, nEpochs, curves }, seek));
  return (epoch) => marks.forEach((mark) => mark(epoch));
}

let mark = () => {};

function showEpoch(frame) {
  const { run, player, told } = page;
  const newest = run.frames.length - 1, number = Math.round(frame);
  $("epoch").querySelector("b").textContent = number;
  $("epoch").querySelector("span").textContent = ` / ${Math.max(told.n_epochs, newest)}`;
  $("slider").max = Math.max(newest, 1);
  $("slider").value = frame;
  $("slider").setAttribute("aria-valuetext", `epoch ${number} of ${newest}`);
  $("live").setAttribute("aria-pressed", String(player?.state.following ?? true));
  mark(frame);
}

function redrawCurves() {
  const { run, player, told } = page;
  const nEpochs = Math.max(told.n_epochs, run.frames.length - 1);
  mark = drawAllCurves(run, nEpochs, (epoch) => player.seek(epoch));
  mark(player.state.frame);
}

async function begin(run) {
  page.run = run;
  run.buffer.set(run.frames.at(-1));
  document.body.classList.add("drawn");
  page.scene = await drawScene(run, $("scene"));
  page.player = makePlayer(run, page.scene, showEpoch);
  page.visible = drawLegend(run, () => page.scene.show(run.groups.map(
    (group) => page.visible.label[group.label] && page.visible.kind[group.kind])));
  redrawCurves();
  page.player.draw();
}

function clear() {
  page.run = page.player = null;
  Plotly.purge($("scene"));
  document.body.classList.remove("drawn");
  for (const id of ["legend", "kinds", "loss", "separation"]) $(id).replaceChildren();
}

async function catchUp() {
  const { told } = page;
  if (told.run === null) { if (page.run) clear(); return; }
  if (page.run?.id !== told.run) {
    const run = await fetchRun(told.run);
    await fetchEpochs(run);
    await begin(run);
  } else if (told.epoch > page.run.frames.length - 1) {
    await fetchEpochs(page.run);
    redrawCurves();
    page.player.grown();
  }
}

let catching = false, behind = false;

// One at a time; what is said meanwhile is looked at after. What fails is tried again when the
// server speaks next, which it does every few seconds.
async function heard(told) {
  const totalChanged = page.told?.n_epochs !== told.n_epochs;
  page.told = told;
  page.toldAt = performance.now();
  showLink(true);
  showStatus();
  if (totalChanged && page.player) redrawCurves();
  behind = true;
  if (catching) return;
  catching = true;
  try {
    while (behind) { behind = false; await catchUp(); }
  } catch (error) {
    if (!(error instanceof TypeError) && !/status/.test(error.message)) throw error;
  } finally {
    catching = false;
  }
}

function wear(theme) {
  setTheme(theme);
  if (page.run) page.scene.paint();
}

function bindControls() {
  $("theme").addEventListener("click", () => wear(otherTheme()));
  DARK.addEventListener("change", () => wear(usersTheme()));
  const act = {
    " ": () => page.player.replay(), ArrowRight: () => page.player.step(1),
    ArrowLeft: () => page.player.step(-1), Home: () => page.player.seek(0),
    End: () => page.player.follow(),
  };
  $("play").addEventListener("click", act[" "]);
  $("live").addEventListener("click", act.End);
  $("slider").addEventListener("input", () => page.player.seek(Number($("slider").value)));
  document.addEventListener("keydown", (event) => {
    if (!page.player || !(event.key in act) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && event.target.closest?.("button")) return;
    event.preventDefault();
    act[event.key]();
  });
}

// The stage grows and shrinks with what is said above it, which plotly does not see.
new ResizeObserver(() => { if (page.run) page.scene.fit(); }).observe($("scene"));

window.watching = {
  positions: () => page.run?.buffer.slice() ?? new Float32Array(0),
  state: () => ({
    phase: page.told?.phase ?? null, run: page.run?.id ?? null, linked: page.linked,
    epoch: page.player ? page.player.state.frame : null,
    newest: page.player ? page.player.newest() : null,
    following: page.player?.state.following ?? null, pictures: page.player?.state.pictures ?? 0,
  }),
};
wear(usersTheme());
bindControls();
setInterval(showTime, 1000);
listen(heard, () => showLink(false));
