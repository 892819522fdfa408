// Unpacking, elements, colours: what the rest of the page stands on.
const $ = (id) => document.getElementById(id);

function unpack(id) {
  const text = atob($(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = text.charCodeAt(index);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

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

// Plotly reads a little HTML in texts; what users named must not be taken for it.
const escapePlotly = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
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

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

// plotly.js is unpacked when the first picture is drawn: a list of a thousand logs opens without.
let library = null;
function loadPlotly() {
  library ??= unpack("plotly-data").text().then((text) => {
    $("plotly-data").remove();
    document.head.append(Object.assign(document.createElement("script"), { textContent: text }));
  });
  return library;
}
