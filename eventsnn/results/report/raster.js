// The raster of spikes.
//
// Levels of detail need no tables: the spikes of a neuron lie in order of time, so that those in view are found by
// bisection and counted into the pixels that they fall on, at every zoom anew. Far out a pixel shows how many spikes it
// has, close by each spike is a mark of its own. Ten million spikes take a few hundredths of a second.
const LEAST_SHARE = 0.04;  // of the height that a population has, however small
const REACH = 7;  // pixels from the pointer to the spike that is named

/** Spikes of row r are ticks[begins[r]] to ticks[begins[r + 1] - 1], in quanta since the beginning. */
async function readRaster(data) {
  const counts = await unpack(data.counts), ticks = await unpack(data.intervals);
  const begins = new Uint32Array(counts.length + 1);
  for (let r = 0; r < counts.length; r++) {
    begins[r + 1] = begins[r] + counts[r];
    for (let i = begins[r] + 1; i < begins[r + 1]; i++) ticks[i] += ticks[i - 1];
  }
  const populations = [];
  let row = 0, lane = 0;
  for (const { name, colour, ids } of data.populations) {
    const names = await unpack(ids);
    const unit = Math.max(1, LEAST_SHARE * counts.length / names.length);
    populations.push({ name, colour, ids: names, row, lane, unit });
    row += names.length;
    lane += unit * names.length;
  }
  return { begins, ticks, populations, lanes: lane, quantum: data.quantum };
}

function makeRaster(parent, raster, view) {
  parent.textContent = "";
  parent.classList.add("plot");
  const bar = element("div", parent, "bar");
  const button = (text, title, act) => {
    const made = element("button", bar, "", text);
    made.title = title;
    made.addEventListener("click", act);
  };
  button("+", "zoom in", () => view.zoom(0.5, 0.5, 0.5, true, true));
  button("−", "zoom out", () => view.zoom(2, 0.5, 0.5, true, true));
  button("whole run", "everything", view.showAll);
  const status = element("span", bar, "status");
  const height = Math.min(Math.max(140, 16 * raster.lanes, 26 * raster.populations.length), 500);
  element("div", parent, "head", "spikes of neurons, numbered within their populations");
  const plot = makePlot(parent, height, BOTTOM, "raster of spikes: time against neuron");
  plot.canvas.id = "raster-canvas";
  plot.canvas.tabIndex = 0;
  let image = null, cells = null;
  plot.draw = () => {
    const context = plot.fit();
    const width = Math.round(plot.width * plot.scale), rows = Math.round(plot.height * plot.scale);
    if (!image || image.width !== width || image.height !== rows) {
      [image, cells] = [new ImageData(width, rows), new Uint32Array(width * rows)];
    }
    const seen = count(raster, view, cells, width, rows);
    paint(image, cells, seen, plot.scale);
    context.putImageData(image, Math.round(plot.left * plot.scale), Math.round(plot.top * plot.scale));
    frame(context, plot, view, true);
    nameRows(context, plot, raster, view);
    const each = seen.most > 1 ? `up to ${seen.most.toLocaleString("en")} in a pixel` : "each one drawn";
    status.textContent = `${seen.spikes.toLocaleString("en")} spikes in view${seen.spikes ? `, ${each}` : ""}`;
  };
  view.plots.push(plot);
  listen(plot, view, true);
  nameSpikes(parent, plot, raster, view);
}

/** Neurons of a population whose lanes lie between two heights, as the first and the one after the last. */
function neuronsBetween(population, y0, y1) {
  const at = (lane) => Math.min(Math.max((lane - population.lane) / population.unit, 0), population.ids.length);
  return [Math.floor(at(y0)), Math.ceil(at(y1))];
}

/** Count the spikes in view into cells, one for each pixel. A neuron higher than a pixel is counted in its topmost one;
 * spans has how many it takes, colours whose it is. */
function count(raster, view, cells, width, rows) {
  const { begins, ticks } = raster;
  const first = (view.t0 - view.whole.t0) / raster.quantum, last = (view.t1 - view.whole.t0) / raster.quantum + 0.5;
  // a hair less than the width, so that the last spike falls on the last pixel
  const across = width * (1 - 1e-9) / (last - first), down = rows / (view.y1 - view.y0);
  const spans = new Int32Array(rows), colours = new Array(rows);
  let spikes = 0, most = 0;
  cells.fill(0);
  for (const population of raster.populations) {
    const [from, to] = neuronsBetween(population, view.y0, view.y1);
    for (let k = from; k < to; k++) {
      const top = (population.lane + k * population.unit - view.y0) * down;
      const y = Math.min(Math.max(Math.floor(top), 0), rows - 1);
      spans[y] = Math.max(Math.round(top + population.unit * down) - y, 1, spans[y]);
      colours[y] = population.colour;
      const end = begins[population.row + k + 1], begin = lower(ticks, begins[population.row + k], end, first);
      const stop = lower(ticks, begin, end, last);
      countNeuron(ticks, begin, stop, first, across, cells, y * width);
      spikes += stop - begin;
    }
  }
  for (let i = 0; i < cells.length; i++) if (cells[i] > most) most = cells[i];
  return { spikes, most, spans, colours };
}

function countNeuron(ticks, begin, stop, first, across, cells, base) {
  for (let i = begin; i < stop; i++) cells[base + ((ticks[i] - first) * across | 0)]++;
}

/** The more spikes a pixel has the darker it is, by the logarithm; marks are wider and taller where there are few. */
function paint(image, cells, seen, scale) {
  const pixels = new Uint32Array(image.data.buffer), { width, height } = image;
  const mark = Math.max(Math.round(seen.spikes <= 5000 ? 2 * scale : seen.spikes <= 50000 ? scale : 1), 1);
  const shades = new Uint32Array(Math.min(seen.most, 4095) + 1);
  pixels.fill(0);
  let shadesOf = null;
  for (let y = 0; y < height; y++) {
    if (!seen.spans[y]) continue;
    if (seen.colours[y] !== shadesOf) {
      shadesOf = seen.colours[y];
      const [r, g, b] = [1, 3, 5].map((at) => parseInt(shadesOf.slice(at, at + 2), 16));
      for (let c = 1; c < shades.length; c++) {
        const opaque = Math.round(64 + 191 * Math.log1p(c) / Math.log1p(shades.length - 1));
        shades[c] = ((opaque << 24) | (b << 16) | (g << 8) | r) >>> 0;
      }
    }
    const span = seen.spans[y], tall = span >= 4 ? span - Math.ceil(0.2 * span) : span;
    const bottom = Math.min(y + Math.max(tall, mark), height);
    for (let x = 0; x < width; x++) {
      const there = cells[y * width + x];
      if (!there) continue;
      const shade = shades[there < shades.length ? there : shades.length - 1], right = Math.min(x + mark, width);
      for (let v = y; v < bottom; v++) {
        for (let u = x; u < right; u++) pixels[v * width + u] = shade;
      }
    }
  }
}

function nameRows(context, plot, raster, view) {
  const down = plot.height / (view.y1 - view.y0), place = (lane) => plot.top + (lane - view.y0) * down;
  context.textAlign = "right";
  for (const population of raster.populations) {
    const [from, to] = neuronsBetween(population, view.y0, view.y1);
    if (from >= to) continue;
    const top = Math.max(place(population.lane), plot.top);
    const bottom = Math.min(place(population.lane + population.unit * population.ids.length), plot.top + plot.height);
    context.strokeStyle = LINE;
    context.strokeRect(plot.left - 0.5, top - 0.5, plot.width + 1, bottom - top);
    const high = population.unit * down, name = shortened(context, population.name, plot.left - 52);
    if (bottom - top >= 11) {
      context.fillStyle = population.colour;
      context.textAlign = "left";
      context.fillText(name, 2, (top + bottom) / 2 + 4);
    }
    const step = high >= 11 ? 1 : stepOf(40 / high), first = Math.ceil(from / step) * step;
    context.fillStyle = SOFT;
    context.textAlign = "right";
    for (let k = first; k < to && bottom - top >= 11; k += step) {
      const y = Math.min(Math.max(place(population.lane + (k + 0.5) * population.unit), top + 6), bottom - 6);
      context.fillText(String(population.ids[k]), plot.left - 5, y + 4);
    }
  }
}

/** The spike nearest to a place in the plot (CSS pixels), or null. */
function nearest(raster, view, plot, x, y) {
  const { begins, ticks, quantum } = raster;
  const across = plot.width / (view.t1 - view.t0), down = plot.height / (view.y1 - view.y0);
  const time = (px) => (view.t0 - view.whole.t0 + px / across) / quantum;
  let best = null, least = REACH * REACH;
  for (const population of raster.populations) {
    const [from, to] = neuronsBetween(population, view.y0 + (y - REACH) / down, view.y0 + (y + REACH) / down);
    for (let k = from; k < to; k++) {
      const top = (population.lane + k * population.unit - view.y0) * down, bottom = top + population.unit * down;
      const away = Math.max(top - y, y - bottom, 0);
      const end = begins[population.row + k + 1];
      let i = lower(ticks, begins[population.row + k], end, time(x - REACH));
      for (; i < end && ticks[i] <= time(x + REACH); i++) {
        const ms = view.whole.t0 + ticks[i] * quantum;
        const distance = ((ms - view.t0) * across - x) ** 2 + away ** 2;
        if (distance < least) [least, best] = [distance, { population, neuron: population.ids[k], ms }];
      }
    }
  }
  return best;
}

function nameSpikes(parent, plot, raster, view) {
  const tip = element("div", parent, "tip");
  const digits = Math.min(Math.max(0, -Math.round(Math.log10(raster.quantum))), 12);
  plot.canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
  plot.canvas.addEventListener("pointermove", (event) => {
    const x = event.offsetX - plot.left, y = event.offsetY - plot.top;
    const inside = x >= 0 && y >= 0 && x <= plot.width && y <= plot.height && !event.buttons;
    const spike = inside ? nearest(raster, view, plot, x, y) : null;
    tip.style.display = spike ? "block" : "none";
    if (!spike) return;
    tip.textContent = `${spike.population.name} ${spike.neuron}, ${spike.ms.toFixed(digits)} ms`;
    const right = event.offsetX > plot.left + plot.width / 2;
    tip.style.left = `${event.offsetX + (right ? -12 : 12)}px`;
    tip.style.top = `${plot.canvas.offsetTop + event.offsetY - 30}px`;
    tip.style.transform = right ? "translateX(-100%)" : "";
  });
}
