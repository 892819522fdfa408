// A small painter of pixels. Browsers without a graphics card draw thousands of points or lines
// several times as slowly as this: points, lines and discs into an array, shown in one go.
const SUBPIXELS = 4;

const rgbOf = (hex) => {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

// How far inside a marker's outline a place is, in pixels; what is drawn is between 0 and `thick`.
const INSIDE = {
  circle: (x, y, radius) => radius - Math.hypot(x, y),
  diamond: (x, y, radius) => (radius - Math.abs(x) - Math.abs(y)) * Math.SQRT1_2,
};

// Coverage of each pixel of a marker, at each quarter of a pixel that its middle may lie at.
function makeSprite({ shape, radius, thick }) {
  const reach = Math.ceil(radius + 1), width = 2 * reach + 1, masks = [];
  for (let sub = 0; sub < SUBPIXELS * SUBPIXELS; sub += 1) {
    const left = (sub % SUBPIXELS) / SUBPIXELS, top = Math.floor(sub / SUBPIXELS) / SUBPIXELS;
    const mask = new Uint8Array(width * width);
    for (let at = 0; at < mask.length; at += 1) {
      const inside = INSIDE[shape](
        (at % width) - reach - left, Math.floor(at / width) - reach - top, radius);
      const outer = clamp(inside + 0.5, 0, 1), inner = thick ? clamp(inside - thick + 0.5, 0, 1) : 0;
      mask[at] = Math.round(255 * (outer - inner));
    }
    masks.push(mask);
  }
  return { reach, width, masks };
}

function makePixels(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let width = 0, height = 0, image = null, data = null, stamps = null, stamp = 0;

  function resize(newWidth, newHeight) {
    if (newWidth === width && newHeight === height) return;
    [width, height] = [newWidth, newHeight];
    [canvas.width, canvas.height] = [width, height];
    image = context.createImageData(width, height);
    data = image.data;
    stamps = new Uint32Array(width * height);
  }
  // Lay a colour over a pixel; `alpha` from 0 to 255.
  function blend(pixel, red, green, blue, alpha) {
    const at = 4 * pixel, below = data[at + 3];
    if (alpha >= 255 || below === 0) {
      data[at] = red; data[at + 1] = green; data[at + 2] = blue; data[at + 3] = alpha;
      return;
    }
    const share = alpha / 255, rest = (below / 255) * (1 - share), total = share + rest;
    data[at] = (red * share + data[at] * rest) / total;
    data[at + 1] = (green * share + data[at + 1] * rest) / total;
    data[at + 2] = (blue * share + data[at + 2] * rest) / total;
    data[at + 3] = 255 * total;
  }
  function marker(x, y, sprite, [red, green, blue], opacity) {
    const left = Math.floor(x), top = Math.floor(y);
    if (!(left > -sprite.reach && left < width + sprite.reach)) return; // also where x is no number
    const sub = Math.floor((y - top) * SUBPIXELS) * SUBPIXELS + Math.floor((x - left) * SUBPIXELS);
    const mask = sprite.masks[sub];
    for (let row = 0, at = 0; row < sprite.width; row += 1) {
      const py = top - sprite.reach + row;
      if (py < 0 || py >= height) { at += sprite.width; continue; }
      for (let px = left - sprite.reach, end = px + sprite.width; px < end; px += 1, at += 1) {
        if (mask[at] && px >= 0 && px < width) {
          blend(py * width + px, red, green, blue, mask[at] * opacity);
        }
      }
    }
  }
  // A line one pixel wide, its edges softened along the shorter axis.
  function line(x0, y0, x1, y1, [red, green, blue], alpha) {
    const steep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
    let [a0, b0, a1, b1] = steep ? [y0, x0, y1, x1] : [x0, y0, x1, y1];
    if (a0 > a1) [a0, b0, a1, b1] = [a1, b1, a0, b0];
    const slope = a1 - a0 < 1e-6 ? 0 : (b1 - b0) / (a1 - a0);
    const last = Math.min(Math.round(a1), (steep ? height : width) - 1);
    const limit = steep ? width : height;
    for (let a = Math.max(Math.round(a0), 0); a <= last; a += 1) {
      const b = b0 + slope * (a - a0), low = Math.floor(b), share = b - low;
      for (let side = 0; side < 2; side += 1) {
        const at = low + side, weight = side ? share : 1 - share;
        if (at < 0 || at >= limit || weight < 0.05) continue;
        blend(steep ? a * width + at : at * width + a, red, green, blue, alpha * weight);
      }
    }
  }
  // Circles as one area: an even fill, and a rim where no other circle covers it.
  function area(circles, rgb, fillAlpha, rimAlpha) {
    stamp += 1;
    for (const [inset, alpha] of [[1.4, fillAlpha], [0, rimAlpha]]) {
      for (const { x, y, radius } of circles) disc(x, y, Math.max(radius - inset, 0), rgb, alpha);
    }
  }
  function disc(x, y, radius, [red, green, blue], alpha) {
    const top = Math.max(Math.ceil(y - radius), 0), end = Math.min(y + radius, height - 1);
    for (let row = top; row <= end; row += 1) {
      const half = Math.sqrt(Math.max(radius * radius - (row - y) ** 2, 0));
      const right = Math.min(Math.floor(x + half), width - 1);
      for (let column = Math.max(Math.ceil(x - half), 0); column <= right; column += 1) {
        const pixel = row * width + column;
        if (stamps[pixel] === stamp) continue;
        stamps[pixel] = stamp;
        blend(pixel, red, green, blue, alpha);
      }
    }
  }
  const clear = () => data?.fill(0);
  const flush = () => { if (image) context.putImageData(image, 0, 0); };
  return { resize, clear, flush, marker, line, area, size: () => [width, height] };
}
