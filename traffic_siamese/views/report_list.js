// A list of any length: only the rows on screen are in the document.
const SPARE_ROWS = 4;

// rowHeight in pixels; makeRow(item, index) returns an element. Returns { set, refresh, reveal }.
function virtualList(node, { rowHeight, makeRow }) {
  const inner = make("div", { class: "inner" });
  node.replaceChildren(inner);
  let items = [], drawn = new Map();

  function draw() {
    const first = Math.max(0, Math.floor(node.scrollTop / rowHeight) - SPARE_ROWS);
    const shown = Math.ceil(node.clientHeight / rowHeight) + 2 * SPARE_ROWS;
    const last = Math.min(items.length, first + shown);
    for (const [index, row] of drawn) {
      if (index >= first && index < last) continue;
      row.remove();
      drawn.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      if (drawn.has(index)) continue;
      const row = makeRow(items[index], index);
      row.style.top = `${index * rowHeight}px`;
      row.style.height = `${rowHeight}px`;
      drawn.set(index, row);
      inner.append(row);
    }
  }
  function refresh() {
    for (const row of drawn.values()) row.remove();
    drawn = new Map();
    draw();
  }
  function set(newItems) {
    items = newItems;
    inner.style.height = `${items.length * rowHeight}px`;
    refresh();
  }
  function reveal(index) {
    const top = index * rowHeight, bottom = top + rowHeight;
    if (top < node.scrollTop) node.scrollTop = top;
    if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
    draw();
  }
  node.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(draw).observe(node);
  return { set, refresh, reveal };
}
