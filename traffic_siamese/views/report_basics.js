// Elements, colours, figures: what the rest of the page stands on.

// Text is always set as text: names of captures and labels are data, never markup.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "colour") node.style.setProperty("--colour", value);
    else if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const colourOf = (about, label) => about.colours[label] ?? "#8a8f98";

function faint(colour, opacity) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${opacity})`;
}

// The inverse of Python's differences from one number to the next.
function summed(steps) {
  let sum = 0;
  return steps.map((step) => (sum += step));
}
