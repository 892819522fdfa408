// What film and live page draw alike: the cube's axes with their numbers, and parts of the curves.
const SVG = "http://www.w3.org/2000/svg";

function axisLayout(title) {
  return {
    range: [-0.02, 1.02], autorange: false, tickangle: 0, tickvals: [0, 0.5, 1],
    ticktext: ["0", "0.5", "1"], tickfont: { size: 11, color: ink("--soft") }, ticks: "",
    title: { text: title, font: { size: 13, color: ink("--soft") } },
    gridcolor: ink("--grid"), showbackground: false, zeroline: false, showspikes: false,
    showline: false,
  };
}

function element(name, attributes, parent, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

function shortNumber(value) {
  if (value === null || value === undefined) return "–";
  if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(0);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

// The nearest round number at or above, so that the axis ends on it.
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.999) * power;
}

function linePath(values, xOf, yOf) {
  let path = "", pen = "M";
  values.forEach((value, epoch) => {
    if (value === null) { pen = "M"; return; }
    path += `${pen}${xOf(epoch).toFixed(1)} ${yOf(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
}
