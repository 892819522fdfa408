// What all pages stand on: elements by their id, colours of the style, light and dark.
const $ = (id) => document.getElementById(id);
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Plotly reads a little HTML in texts; what users named must not be taken for it.
const escapePlotly = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const DARK = matchMedia("(prefers-color-scheme: dark)");
const usersTheme = () => (DARK.matches ? "dark" : "light");
const otherTheme = () => (document.documentElement.dataset.theme === "dark" ? "light" : "dark");

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}
