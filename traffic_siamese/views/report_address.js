// The fragment of the page's address: #log=NAME or #log=NAME&incident=N, incidents counted from 1.
function addressOf(log, incident = -1) {
  const name = encodeURIComponent(log.anchor).replace(/%2F/g, "/");
  return incident < 0 ? `#log=${name}` : `#log=${name}&incident=${incident + 1}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand, with a percent sign of its own
  }
}

function readAddress(fragment) {
  return Object.fromEntries(fragment.slice(1).split("&").map((part) => {
    const at = part.indexOf("=");
    return [part.slice(0, at), decoded(part.slice(at + 1))];
  }));
}
