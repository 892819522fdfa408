// The labels' names, at the middle of their points, moved aside so that none covers another.
const GAP = 4, LIFT = 20, MOST_LIFT = 90, ROUNDS = 60;
const HEAD = 34; // where the names of two trainings stand
const MOST_NAMES = 40; // more would cover the points

// Move boxes { x, y, width, height, wantX, wantY } (middles) until none overlaps, each as near as
// may be to where it wants to be, all inside the picture.
function declutter(boxes, width, height) {
  const keepInside = (box) => {
    box.x = clamp(box.x, box.width / 2 + GAP, Math.max(width - box.width / 2 - GAP, box.width / 2));
    box.y = clamp(
      box.y, box.height / 2 + GAP, Math.max(height - box.height / 2 - GAP, box.height / 2));
  };
  for (let round = 0; round < 2 * ROUNDS; round += 1) {
    let moved = 0;
    for (const box of boxes) {
      if (round < ROUNDS) { // later rounds only push apart
        box.x += 0.15 * (box.wantX - box.x);
        box.y += 0.15 * (box.wantY - box.y);
      }
      keepInside(box);
    }
    for (let one = 0; one < boxes.length; one += 1) {
      for (let two = 0; two < one; two += 1) moved = Math.max(moved, part(boxes[two], boxes[one]));
    }
    if (round >= ROUNDS && moved === 0) break;
  }
}

// Start from where the boxes were, so that they do not jump, unless they have locked each other
// into places much worse than those found from scratch.
function settle(boxes, width, height) {
  const cost = (some) => some.reduce(
    (sum, box) => sum + Math.hypot(box.x - box.wantX, box.y - box.wantY), 0);
  const anew = boxes.map((box) => ({ ...box, x: box.wantX, y: box.wantY }));
  declutter(boxes, width, height);
  declutter(anew, width, height);
  if (cost(boxes) <= 1.3 * cost(anew) + 10) return;
  boxes.forEach((box, index) => Object.assign(box, { x: anew[index].x, y: anew[index].y }));
}

// Push two boxes apart along the shorter way; return by how much they overlapped.
function part(one, two) {
  const dx = two.x - one.x, dy = two.y - one.y;
  const overX = (one.width + two.width) / 2 + GAP - Math.abs(dx);
  const overY = (one.height + two.height) / 2 + GAP - Math.abs(dy);
  if (overX <= 0 || overY <= 0) return 0;
  if (overX < overY) {
    const push = (dx < 0 ? -1 : 1) * (overX / 2 + 0.01);
    one.x -= push; two.x += push;
  } else {
    const push = (dy < 0 ? -1 : 1) * (overY / 2 + 0.01);
    one.y -= push; two.y += push;
  }
  return Math.min(overX, overY);
}

// The middle of a label's shown points, and how far they spread around it on the three axes
// together; null where it has none.
function middleOfLabel(run, label, shown) {
  const sum = [0, 0, 0];
  let count = 0, squares = 0;
  run.groups.forEach((group, index) => {
    if (group.label !== label || !shown[index]) return;
    for (let point = group.start; point < group.stop; point += 1) {
      if (Number.isNaN(run.buffer[point])) continue;
      for (let axis = 0; axis < 3; axis += 1) {
        const value = run.buffer[axis * run.nPoints + point];
        sum[axis] += value;
        squares += value * value;
      }
      count += 1;
    }
  });
  if (!count) return null;
  const middle = sum.map((value) => value / count);
  const variance = squares / count - middle.reduce((total, value) => total + value * value, 0);
  return { middle, spread: Math.sqrt(Math.max(variance, 0)) };
}

// Returns { place(camera, shown, on) }, which gives the leader lines to paint.
function makeLabels(film, run, node) {
  const order = film.labels.map((_, label) => label).sort((a, b) => run.windows[b] - run.windows[a]);
  const named = new Set(order.slice(0, MOST_NAMES));
  const tags = film.labels.map((label) => {
    const tag = document.createElement("span");
    tag.className = "tag";
    tag.textContent = label.name;
    tag.style.setProperty("--colour", label.colour);
    node.append(tag);
    return { tag, rgb: rgbOf(label.colour), x: null, y: null, width: 0, height: 0 };
  });
  const head = film.runs.length > 1 ? HEAD : 0;
  const measure = () => tags.forEach((box) => {
    [box.width, box.height] = [box.tag.offsetWidth, box.tag.offsetHeight];
  });
  measure();

  function place(camera, shown, on) {
    const [width, height] = [node.clientWidth, node.clientHeight], boxes = [];
    tags.forEach((box, label) => {
      const found = on && named.has(label) ? middleOfLabel(run, label, shown) : null;
      box.tag.style.visibility = found ? "visible" : "hidden";
      if (!found) { box.x = null; return; }
      const [x, y] = seen(found.middle, camera, width, height);
      const [, top] = seen(found.middle.map((value, axis) =>
        value + (axis === 2 ? found.spread : 0)), camera, width, height);
      const lift = LIFT + Math.min(Math.abs(y - top), MOST_LIFT); // clear of the points
      Object.assign(box, { anchor: [x, y], wantX: x, wantY: y - lift });
      if (box.x === null) Object.assign(box, { x, y: y - lift });
      boxes.push(box);
    });
    boxes.forEach((box) => { box.y -= head; box.wantY -= head; });
    settle(boxes, width, height - head);
    boxes.forEach((box) => { box.y += head; });
    return boxes.map((box) => {
      box.tag.style.transform =
        `translate(${(box.x - box.width / 2).toFixed(1)}px, ${(box.y - box.height / 2).toFixed(1)}px)`;
      return { from: box.anchor, to: nearestOn(box), rgb: box.rgb };
    });
  }
  return { place, measure };
}

// The place on a box's edge that is nearest to its anchor.
function nearestOn({ anchor: [x, y], x: middleX, y: middleY, width, height }) {
  return [
    clamp(x, middleX - width / 2, middleX + width / 2),
    clamp(y, middleY - height / 2, middleY + height / 2),
  ];
}
