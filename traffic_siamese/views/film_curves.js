// The curves beside the cube: plain SVG, with a marker at the epoch that the cube shows.
const PLOT = { width: 336, height: 92, left: 34, right: 8, top: 8, bottom: 20 };
const innerWidth = PLOT.width - PLOT.left - PLOT.right;
const innerHeight = PLOT.height - PLOT.top - PLOT.bottom;

const axisNumber = (value) => String(Number(value.toPrecision(3)));
const percent = (value) => (value === null ? "–" : `${Math.round(100 * value)} %`);

// The value at a fractional epoch; null where the curve has none.
function valueAt(curve, epoch) {
  const before = Math.floor(epoch), after = Math.min(before + 1, curve.length - 1);
  if (curve[before] === null || curve[after] === null) return curve[Math.round(epoch)];
  return curve[before] + (curve[after] - curve[before]) * (epoch - before);
}

function drawAxes(svg, { top, nEpochs, yOf, xOf, tick }) {
  for (const value of [0, top / 2, top]) {
    const y = yOf(value);
    element("line", { x1: PLOT.left, x2: PLOT.width - PLOT.right, y1: y, y2: y }, svg);
    element("text", { x: PLOT.left - 6, y: y + 4, "text-anchor": "end" }, svg).textContent =
      tick(value);
  }
  for (const epoch of nEpochs ? [0, nEpochs] : [0]) {
    const anchor = epoch ? "end" : "start";
    element("text", { x: xOf(epoch), y: PLOT.height - 5, "text-anchor": anchor }, svg)
      .textContent = epoch ? `epoch ${epoch}` : "0";
  }
}

function caption(figure, title, curves) {
  const head = document.createElement("figcaption");
  const strong = document.createElement("strong");
  strong.textContent = title;
  head.append(strong);
  const readouts = curves.map((curve) => {
    const item = document.createElement("em");
    const swatch = document.createElement("i");
    swatch.style.setProperty("--colour", curve.colour);
    swatch.className = curve.dashed ? "dashed" : "";
    const number = document.createElement("b");
    item.append(...(curve.name ? [swatch, `${curve.name} `] : []), number);
    head.append(item);
    return number;
  });
  figure.append(head);
  return readouts;
}

// Returns mark(epoch): move the marker and the numbers. Pressing the plot calls seek(epoch).
function drawCurves(figure, { title, curves, nEpochs, format, top }, seek) {
  const shown = curves.filter((curve) => curve.values.some((value) => value !== null));
  figure.hidden = shown.length === 0;
  if (figure.hidden) return () => {};
  const readouts = caption(figure, title, shown);
  const highest = top ?? roundUp(Math.max(...shown.flatMap((curve) => curve.values)));
  const xOf = (epoch) => PLOT.left + (innerWidth * epoch) / Math.max(nEpochs, 1);
  const yOf = (value) => PLOT.top + innerHeight * (1 - Math.max(value, 0) / highest);
  const plot = document.createElement("div");
  plot.className = "plot";
  const svg = element("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img" });
  svg.setAttribute("aria-label", `${title} by epoch`);
  plot.append(svg);
  figure.append(plot);
  drawAxes(svg, { top: highest, nEpochs, yOf, xOf, tick: top ? format : axisNumber });
  const cursor = marker(plot, "cursor");
  const dots = shown.map((curve) => {
    const path = element("path", { d: linePath(curve.values, xOf, yOf) }, svg);
    path.style.setProperty("--colour", curve.colour);
    if (curve.dashed) path.classList.add("dashed");
    const dot = marker(plot, "dot");
    dot.style.setProperty("--colour", curve.colour);
    return dot;
  });
  const seekTo = (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * PLOT.width;
    seek(Math.min(Math.max((x - PLOT.left) / innerWidth, 0), 1) * nEpochs);
  };
  plot.addEventListener("pointerdown", (event) => {
    plot.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  plot.addEventListener("pointermove", (event) => { if (event.buttons) seekTo(event); });
  return (epoch) => {
    const scale = plot.clientWidth / PLOT.width, x = scale * xOf(epoch);
    cursor.style.transform = `translate(${x.toFixed(1)}px, 0)`;
    shown.forEach((curve, index) => {
      const value = valueAt(curve.values, epoch), text = format(value);
      if (readouts[index].textContent !== text) readouts[index].textContent = text;
      dots[index].style.visibility = value === null ? "hidden" : "visible";
      dots[index].style.transform = `translate(${x.toFixed(1)}px, ${(scale * yOf(value)).toFixed(1)}px)`;
    });
  };
}

// What moves lies above the picture in a layer of its own: the curves need not be drawn again.
function marker(plot, name) {
  const node = document.createElement("b");
  node.className = name;
  plot.append(node);
  return node;
}
