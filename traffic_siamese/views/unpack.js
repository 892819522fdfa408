// What a page from a file carries inside, compressed: its data, and plotly.js.
function checkBrowser() {
  if (typeof DecompressionStream !== "undefined") return;
  throw new Error("this browser is too old to unpack it (it lacks DecompressionStream). "
    + "Use Firefox 113, Chrome 80, Safari 16.4 or later.");
}

function unpack(id) {
  const text = atob($(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = text.charCodeAt(index);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

// For what is unpacked but once: the page lets go of the packed text.
function takeOut(id) {
  const data = unpack(id);
  $(id).remove();
  return data;
}

// plotly.js is unpacked when the first picture is drawn: a list of a thousand logs opens without.
let library = null;
function loadPlotly() {
  library ??= takeOut("plotly-data").text().then((text) => {
    document.head.append(Object.assign(document.createElement("script"), { textContent: text }));
  });
  return library;
}
