// Legend, switches, keys and help.
const TRAIL_LENGTHS = [0, 3, 8, 20];

function toggleButton(parent, { text, colour, title, key, on = true }, onPress) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", String(on));
  if (title) button.title = key ? `${title} (${key})` : title;
  const span = document.createElement("span");
  span.textContent = text;
  if (!title) span.title = text;
  const mark = document.createElement("i");
  if (colour) { mark.style.setProperty("--colour", colour); button.append(mark); }
  button.append(span);
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    onPress(pressed);
  });
  parent.append(button);
  return button;
}

const KINDS = [
  ["trained on", '<circle cx="6.5" cy="6.5" r="4.5"/>'],
  ["held out", '<circle cx="6.5" cy="6.5" r="4.5" fill="none" stroke-width="1.8"/>'],
  ["prototype", '<path d="M6.5 .5l6 6-6 6-6-6z" stroke="none"/>'],
  ["added later", '<path d="M6.5 1.5l5 5-5 5-5-5z" fill="none" stroke-width="1.8"/>'],
];

function drawLegend(film, visible, apply) {
  const buttons = film.labels.map((label, index) => {
    const button = toggleButton($("legend"), { text: label.name, colour: label.colour }, (on) => {
      visible.label[index] = on;
      apply();
    });
    const count = document.createElement("small");
    const windows = film.runs.map((run) => run.windows[index]);
    count.textContent = windows.map((n) => n.toLocaleString("en")).join(" | ");
    count.title = "windows";
    button.append(count);
    return button;
  });
  KINDS.forEach(([text, shape], kind) => {
    if (!film.runs.some((run) => run.groups.some((group) => group.kind === kind))) return;
    const button = toggleButton($("kinds"), { text }, (on) => {
      visible.kind[kind] = on;
      apply();
    });
    button.insertAdjacentHTML("afterbegin", `<svg viewBox="0 0 13 13">${shape}</svg>`);
  });
  return buttons;
}

// Switches for what is painted beside the points; returns what their keys do.
function drawSwitches(film, display, repaint) {
  const press = {};
  const add = (name, key, text, title) => {
    const button = toggleButton($("switches"), { text, title, key, on: display[name] }, (on) => {
      display[name] = on;
      repaint();
    });
    press[key] = () => button.click();
  };
  add("labels", "l", "names", "Names of the labels");
  if (film.runs.some((run) => run.reach.some(Boolean))) {
    add("spheres", "s", "spheres", "Around the examples, once the training is over: what lies "
      + "inside is recognised");
  }
  const select = $("trails");
  select.addEventListener("change", () => { display.trails = Number(select.value); repaint(); });
  press.t = () => {
    const next = (TRAIL_LENGTHS.indexOf(display.trails) + 1) % TRAIL_LENGTHS.length;
    select.value = display.trails = TRAIL_LENGTHS[next];
    repaint();
  };
  return press;
}

function bindHelp() {
  const dialog = $("help");
  const toggle = () => (dialog.open ? dialog.close() : dialog.showModal());
  $("help-button").addEventListener("click", toggle);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  return toggle;
}

function bindKeys(keys) {
  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("select, button") !== null;
    if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    if ($("help").open && event.key !== "?") return;
    const owned = event.key === " " || event.target.tagName === "SELECT"; // what a field needs
    if (inField && owned) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function bindControls(film, player, visible, display) {
  const { play, pause, seek, scrub, step, when, applyVisible, repaint, state } = player;
  const toggle = () => (state.playing ? pause() : play());
  const buttons = drawLegend(film, visible, applyVisible);
  const switches = drawSwitches(film, display, repaint);
  const theme = () => {
    setTheme(otherTheme());
    player.paint();
  };
  $("slider").max = when.end;
  $("play").addEventListener("click", toggle);
  $("slider").addEventListener("input", () => {
    const time = Number($("slider").value);
    pause();
    scrub(time);
  });
  $("theme").addEventListener("click", theme);
  const keys = {
    ...switches, " ": toggle, ArrowRight: () => step(1), ArrowLeft: () => step(-1), d: theme,
    Home: () => { pause(); seek(0); }, End: () => { pause(); seek(when.end); },
    "?": bindHelp(),
    0: () => buttons.filter((b) => b.getAttribute("aria-pressed") === "false")
      .forEach((b) => b.click()),
  };
  buttons.slice(0, 9).forEach((button, index) => {
    keys[index + 1] = () => button.click();
    button.title = `Show or hide (${index + 1})`;
  });
  bindKeys(keys);
}
