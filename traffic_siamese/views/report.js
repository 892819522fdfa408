// The incident page: a list of logs, and the one whose address stands in the fragment.
//
// #log=NAME opens a log, #log=NAME&incident=N one of its incidents, counted from 1.
// window.report is there for tests and for the curious:
//   state()   { ready, open: name or null, incident, shown, drawing, theme, listMs }
function wanted(logs) {
  const asked = readAddress(location.hash);
  const log = logs.find((one) => one.anchor === asked.log) ?? null;
  const incident = Number(asked.incident ?? 0) - 1;
  return { log, incident: log && log.incidents[incident] ? incident : -1,
    missing: asked.log && !log ? asked.log : "" };
}

function heading(about, logs) {
  const faulty = logs.filter((log) => log.incidents.length).length;
  const failed = logs.filter((log) => log.error).length;
  const parts = [count(logs.length, "capture"), `${number(faulty)} with incidents`];
  if (failed) parts.push(`${number(failed)} not read`);
  parts.push(`model “${about.model}”`);
  parts.push(about.network ? `normal of network ${about.network}`
    : "normal estimated from each capture");
  $("headline").textContent = parts.join(" · ");
  if (about.broken_off) {
    $("broken").hidden = false;
    $("broken").textContent = "Broken off: "
      + (about.n_logs ? `${number(logs.length)} of ${count(about.n_logs, "capture")} were classified.`
        : "some captures are missing.");
  }
}

function bindKeys(overview) {
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
  $("logs").addEventListener("keydown", (event) => {
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    overview.step(steps[event.key]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "/" && event.target !== $("search")) {
      event.preventDefault();
      $("search").focus();
    }
    if (event.key === "Escape") {
      if (event.target === $("search") && $("search").value) {
        $("search").value = "";
        $("search").dispatchEvent(new Event("input"));
      } else location.hash = "";
    }
  });
}

function makePage(about, logs) {
  const state = { log: null, incident: -1, turn: 0, drawing: 0 };
  const overview = drawOverview(about, logs, (log) => { location.hash = addressOf(log); });

  async function draw() {
    const turn = state.turn += 1;
    state.drawing += 1;
    try {
      await drawCapture(about, state.log, state.incident, () => turn === state.turn);
    } catch (error) {
      $("troubles").append(make("li", { class: "bad" }, `Cannot be drawn: ${error.message}`));
    } finally {
      state.drawing -= 1;
    }
  }
  async function follow() {
    const { log, incident, missing } = wanted(logs);
    const isNew = log !== state.log;
    Object.assign(state, { log, incident });
    document.body.classList.toggle("opened", Boolean(log));
    $("summary").hidden = Boolean(log);
    $("capture").hidden = !log;
    $("missing").textContent = missing ? `There is no capture ${missing} in this report.` : "";
    if (isNew) overview.choose(log ? log.index : -1);
    if (isNew && log) $("detail").scrollTop = 0;
    document.title = log ? `${log.name} · ${about.title}` : about.title;
    if (log) await draw();
  }
  addEventListener("hashchange", follow);
  $("theme").addEventListener("click", () => {
    setTheme(otherTheme());
    if (state.log) draw();
  });
  bindKeys(overview);
  return { state, overview, follow };
}

async function start() {
  const began = performance.now();
  setTheme(usersTheme());
  checkBrowser();
  const { about, logs } = await unpack("overview-data").json();
  prepareLogs(logs);
  heading(about, logs);
  $("message").hidden = true;
  $("page").hidden = false;
  const page = makePage(about, logs);
  const listMs = performance.now() - began;
  window.report = {
    state: () => ({
      ready: true, open: page.state.log?.name ?? null, incident: page.state.incident + 1,
      shown: page.overview.shown().length, drawing: page.state.drawing > 0,
      theme: document.documentElement.dataset.theme, listMs,
    }),
  };
  await page.follow();
}

start().catch((error) => {
  $("message").hidden = false;
  $("message").textContent = `The report cannot be shown: ${error.message}`;
});
