// The curves beside the cube: plain SVG, drawn anew with each epoch, and a marker at the one shown.
const PLOT = { width: 336, height: 112, left: 34, right: 8, top: 8, bottom: 20 };

function caption(figure, title, curves) {
  const head = document.createElement("figcaption");
  head.append(Object.assign(document.createElement("strong"), { textContent: title }));
  const numbers = curves.map((curve) => {
    const item = document.createElement("em"), swatch = document.createElement("i");
    swatch.style.setProperty("--colour", curve.colour);
    swatch.classList.toggle("dashed", curve.dashed);
    const number = document.createElement("b");
    item.append(swatch, curve.name ? `${curve.name} ` : "", number);
    head.append(item);
    return number;
  });
  figure.append(head);
  return numbers;
}

function drawAxes(svg, top, nEpochs, xOf, yOf) {
  for (const value of [0, top / 2, top]) {
    const y = yOf(value), text = String(Number(value.toPrecision(3)));
    element("line", { x1: PLOT.left, x2: PLOT.width - PLOT.right, y1: y, y2: y }, svg);
    element("text", { x: PLOT.left - 6, y: y + 4, "text-anchor": "end" }, svg, text);
  }
  const y = PLOT.height - 5;
  element("text", { x: xOf(0), y, "text-anchor": "start" }, svg, "0");
  if (nEpochs) element("text", { x: xOf(nEpochs), y, "text-anchor": "end" }, svg, `epoch ${nEpochs}`);
}

// Fills a figure; returns mark(epoch), which moves the marker and the numbers.
function drawCurves(figure, { title, curves, nEpochs }, seek) {
  figure.replaceChildren();
  const shown = curves.filter((curve) => curve.values.some((value) => value !== null));
  const numbers = caption(figure, title, shown);
  const top = roundUp(Math.max(0, ...shown.flatMap((curve) => curve.values)));
  const width = PLOT.width - PLOT.left - PLOT.right, height = PLOT.height - PLOT.top - PLOT.bottom;
  const xOf = (epoch) => PLOT.left + (width * epoch) / Math.max(nEpochs, 1);
  const yOf = (value) => PLOT.top + height * (1 - Math.max(value, 0) / top);
  const plot = Object.assign(document.createElement("div"), { className: "plot" });
  const svg = element("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img",
    "aria-label": `${title} by epoch` }, plot);
  figure.append(plot);
  drawAxes(svg, top, nEpochs, xOf, yOf);
  const cursor = element(
    "line", { class: "cursor", y1: PLOT.top, y2: PLOT.height - PLOT.bottom }, svg);
  const dots = shown.map((curve) => {
    const path = element("path", { d: linePath(curve.values, xOf, yOf) }, svg);
    path.style.setProperty("--colour", curve.colour);
    path.classList.toggle("dashed", curve.dashed);
    const dot = element("circle", { r: 4.5 }, svg);
    dot.style.setProperty("--colour", curve.colour);
    return dot;
  });
  plot.addEventListener("pointerdown", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * PLOT.width;
    seek(Math.round(Math.min(Math.max((x - PLOT.left) / width, 0), 1) * nEpochs));
  });
  return (frame) => {
    const epoch = Math.round(frame);
    cursor.setAttribute("transform", `translate(${xOf(frame)} 0)`);
    shown.forEach((curve, index) => {
      const value = curve.values[epoch] ?? null;
      numbers[index].textContent = shortNumber(value);
      dots[index].style.display = value === null ? "none" : "";
      if (value === null) return;
      dots[index].setAttribute("cx", xOf(epoch));
      dots[index].setAttribute("cy", yOf(value));
    });
  };
}
