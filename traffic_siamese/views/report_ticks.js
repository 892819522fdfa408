// Round times for a time axis. Plotly's own labels on a second, matched axis may be a minute off.
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE))
  .concat([1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 28].map((n) => n * DAY));
const TICK_WIDTH = 84; // pixels that a label needs with the room beside it

function tickText(ms, step) {
  if (ms % DAY === 0 && step >= HOUR) return `${day(ms).slice(0, -5)}`;
  return clock(ms).slice(0, step < MINUTE ? 8 : 5);
}

// At most as many ticks as there is room for, at whole seconds, minutes, hours or days.
function timeTicks([from, to], width) {
  const most = Math.max(2, Math.floor(width / TICK_WIDTH));
  const step = STEPS.find((one) => (to - from) / one <= most) ?? STEPS.at(-1);
  const tickvals = [];
  for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) tickvals.push(ms);
  return { tickmode: "array", tickvals, ticktext: tickvals.map((ms) => tickText(ms, step)) };
}

// Sets the ticks of both time axes again whenever the reader zooms.
function keepTicks(node) {
  node.on("plotly_relayout", (change) => {
    if (!Object.keys(change).some((key) => key.startsWith("xaxis.") && !key.includes("tick"))) {
      return;
    }
    const { range, r2l, _length } = node._fullLayout.xaxis;
    const ticks = Object.entries(timeTicks(range.map((end) => r2l(end)), _length));
    Plotly.relayout(node, Object.fromEntries(["xaxis", "xaxis2"].flatMap(
      (axis) => ticks.map(([key, value]) => [`${axis}.${key}`, value]))));
  });
}
