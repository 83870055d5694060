// The page of a run: the raster and, on the same time axis, rates and traces.

// ---- rates and traces

async function readPanel(panel) {
  const lines = [];
  for (const line of panel.lines) {
    lines.push({ ...line, times: await unpack(line.times), values: await unpack(line.values) });
  }
  const levels = [...(panel.zero ? [0] : []), ...(panel.level === null ? [] : [panel.level])];
  let low = Math.min(...levels), high = Math.max(...levels);
  for (const line of lines) {
    for (const value of line.values) {
      if (value < low && value > -Infinity) low = value;
      if (value > high && value < Infinity) high = value;
    }
  }
  if (!(low <= high)) [low, high] = [0, 1];
  const margin = 0.06 * (high - low) || Math.abs(0.1 * low) || 1;
  const range = [panel.zero ? 0 : low - margin, high + (panel.marks ? 3 : 1) * margin];
  return { ...panel, lines, range, marks: panel.marks && await unpack(panel.marks) };
}

/** `last`: of those beneath one another, which has the names of the time axis. */
function makePanel(parent, panel, view, last) {
  parent.classList.add("plot");
  const head = element("div", parent, "head", panel.title);
  if (panel.lines.length > 1 || panel.lines[0].name) {
    for (const line of panel.lines) element("span", head, "name", line.name).style.color = line.colour;
  }
  const plot = makePlot(parent, panel.zero ? 150 : 95, last ? BOTTOM : 7, `${panel.title} over time`);
  plot.draw = () => {
    const context = plot.fit();
    frame(context, plot, view, last);
    scaleOf(context, plot, panel);
    context.save();
    context.beginPath();
    context.rect(plot.left, plot.top, plot.width, plot.height);
    context.clip();
    const x = (time) => plot.left + (time - view.t0) / (view.t1 - view.t0) * plot.width;
    const y = (value) => plot.top + (panel.range[1] - value) / (panel.range[1] - panel.range[0]) * plot.height;
    context.lineWidth = 1.2;
    for (const line of panel.lines) drawLine(context, line, view, x, y);
    context.strokeStyle = INK;
    context.beginPath();
    const marks = panel.marks || [];
    for (let i = lower(marks, 0, marks.length, view.t0); i < marks.length && marks[i] <= view.t1; i++) {
      context.moveTo(x(marks[i]), plot.top + 1);
      context.lineTo(x(marks[i]), plot.top + 9);
    }
    context.stroke();
    context.restore();
  };
  view.plots.push(plot);
  listen(plot, view, false);
}

function scaleOf(context, plot, panel) {
  const [low, high] = panel.range, step = stepOf((high - low) / (plot.height / 32));
  context.textAlign = "right";
  context.fillStyle = SOFT;
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    const y = plot.top + (high - k * step) / (high - low) * plot.height;
    context.fillText(label(k * step, step), plot.left - 6, y + 4);
    context.strokeStyle = "#eef1f4";
    context.strokeRect(plot.left, Math.round(y) + 0.5, plot.width, 0);
  }
  context.fillText(panel.unit, plot.left - 60, plot.top + plot.height / 2 + 4);
  if (panel.level !== null) {
    const y = plot.top + (high - panel.level) / (high - low) * plot.height;
    context.setLineDash([5, 4]);
    context.strokeStyle = "#9aa4b1";
    context.strokeRect(plot.left, y, plot.width, 0);
    context.setLineDash([]);
  }
}

/** Through every sample, or, where there are many in a pixel, from the lowest to the highest of them. */
function drawLine(context, line, view, x, y) {
  const { times, values } = line, count = times.length;
  const from = Math.max(lower(times, 0, count, view.t0) - 1, 0), to = Math.min(lower(times, 0, count, view.t1) + 1, count);
  context.strokeStyle = line.colour;
  context.beginPath();
  let pen = false, pixel = NaN, low = 0, high = 0;
  const finish = () => { for (const end of high > low ? [low, high] : []) context.lineTo(pixel, y(end)); };
  for (let i = from; i < to; i++) {
    const value = values[i], at = to - from > 3000 ? Math.round(x(times[i])) : x(times[i]);
    if (!Number.isFinite(value)) { pen = false; continue; }
    if (pen && at === pixel) { low = Math.min(low, value); high = Math.max(high, value); continue; }
    if (pen) { finish(); context.lineTo(at, y(value)); } else context.moveTo(at, y(value));
    [pen, pixel, low, high] = [true, at, value, value];
  }
  if (pen) finish();
  context.stroke();
}

// ---- the page

async function main() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const raster = await readRaster(data.raster);
  const view = makeView(data.raster.begin, data.raster.length, raster.lanes, 20 * raster.quantum);
  const parent = document.getElementById("raster");
  if (parent) makeRaster(parent, raster, view);
  for (const name of ["rates", "traces"]) {
    const place = document.getElementById(name);
    for (const panel of data[name]) {
      makePanel(element("div", place), await readPanel(panel), view, panel === data[name].at(-1));
    }
  }
  new ResizeObserver(view.draw).observe(document.body);
  view.draw();
}

main().catch((error) => {
  const place = document.getElementById("raster") || document.getElementById("traces");
  if (place) place.textContent = `This browser cannot draw the raster and the traces (${error}); a recent one can.`;
});
