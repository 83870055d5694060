// What the plots of a run share: arrays, the part of the run that is in view, canvases with a time axis, mouse and keys.
const LEFT = 150, RIGHT = 24, BOTTOM = 24, INK = "#1c2330", SOFT = "#5b6675", LINE = "#dde2e8";
const KINDS = { u4: Uint32Array, f4: Float32Array, f8: Float64Array };

// ---- arrays

/** The array that eventsnn/results/report/arrays.py packed. */
async function unpack(packed) {
  const text = atob(packed.data), deflated = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) deflated[i] = text.charCodeAt(i);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  const places = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = KINDS[packed.type].BYTES_PER_ELEMENT, count = places.length / size, bytes = new Uint8Array(places.length);
  for (let place = 0; place < size; place++) {
    for (let i = 0; i < count; i++) bytes[i * size + place] = places[place * count + i];
  }
  return new KINDS[packed.type](bytes.buffer);
}

/** The first place from lo to hi at which values are not below this one. */
function lower(values, lo, hi, value) {
  while (lo < hi) {
    const middle = (lo + hi) >>> 1;
    if (values[middle] < value) lo = middle + 1; else hi = middle;
  }
  return lo;
}

// ---- what is in view

/** Time in ms and height in lanes, a lane being as high as a neuron; all plots follow one view. */
function makeView(begin, length, lanes, shortest) {
  const whole = { t0: begin, t1: begin + length, y0: 0, y1: lanes };
  const view = { ...whole, whole, plots: [], waiting: false };
  view.set = (t0, t1, y0, y1) => {
    [view.t0, view.t1] = within(t0, t1, whole.t0, whole.t1, shortest);
    [view.y0, view.y1] = within(y0, y1, 0, lanes, 1);
    view.draw();
  };
  view.isWhole = () => ["t0", "t1", "y0", "y1"].every((key) => view[key] === whole[key]);
  view.showAll = () => view.set(whole.t0, whole.t1, 0, lanes);
  // x and y: where in the view, from 0 to 1, nothing moves
  view.zoom = (by, x, y, horizontal, vertical) => {
    const t = view.t0 + x * (view.t1 - view.t0), lane = view.y0 + y * (view.y1 - view.y0);
    const [h, v] = [horizontal ? by : 1, vertical ? by : 1];
    view.set(t - h * (t - view.t0), t + h * (view.t1 - t), lane - v * (lane - view.y0), lane + v * (view.y1 - lane));
  };
  view.draw = () => {
    if (view.waiting) return;
    view.waiting = true;
    requestAnimationFrame(() => {
      view.waiting = false;
      for (const plot of view.plots) plot.draw();
    });
  };
  return view;
}

/** A range moved and cut so that it lies within low to high and is not shorter than `least`. */
function within(a, b, low, high, least) {
  const size = Math.min(Math.max(b - a, least), high - low);
  if (size >= high - low) return [low, high];
  const start = Math.min(Math.max((a + b - size) / 2, low), high - size);
  return [start, start + size];
}

// ---- plots

function element(kind, parent, name = "", text = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return parent.appendChild(made);
}

/** A canvas as wide as its parent. `fit` returns where the plot lies in it, and a context in CSS pixels. */
function makePlot(parent, height, bottom, label) {
  const canvas = element("canvas", parent);
  canvas.style.height = `${height + bottom}px`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d");
  const plot = { canvas, left: LEFT, top: 6, height: height - 6 };
  plot.fit = () => {
    const scale = window.devicePixelRatio || 1, width = Math.max(canvas.clientWidth, LEFT + RIGHT + 50);
    const size = [Math.round(width * scale), Math.round((height + bottom) * scale)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    plot.width = width - LEFT - RIGHT;
    plot.scale = scale;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height + bottom);
    context.font = "11px system-ui, 'Segoe UI', Roboto, Arial, sans-serif";
    return context;
  };
  return plot;
}

function stepOf(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((by) => by * power).find((step) => step >= least * (1 - 1e-9));
}

function label(value, step) {
  return value.toFixed(Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), 12));
}

function frame(context, plot, view, named) {
  const bottom = plot.top + plot.height, step = stepOf((view.t1 - view.t0) * 95 / plot.width);
  context.strokeStyle = LINE;
  context.strokeRect(plot.left - 0.5, plot.top - 0.5, plot.width + 1, plot.height + 1);
  context.fillStyle = SOFT;
  context.textAlign = "right";
  if (named) context.fillText("time (ms)", plot.left - 34, bottom + 15);
  context.textAlign = "center";
  context.beginPath();
  for (let k = Math.ceil(view.t0 / step); k * step <= view.t1; k++) {
    const x = plot.left + (k * step - view.t0) / (view.t1 - view.t0) * plot.width;
    context.moveTo(x, bottom);
    context.lineTo(x, bottom + 4);
    if (named) context.fillText(label(k * step, step), x, bottom + 15);
  }
  context.stroke();
}

function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = Math.min(text.length, 60);
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}

// ---- mouse and keys

/** Wheel, drag, box and keys; plots of other quantities than neurons move in time alone. */
function listen(plot, view, vertical) {
  const { canvas } = plot;
  const place = (event) => [(event.offsetX - plot.left) / plot.width, (event.offsetY - plot.top) / plot.height];
  canvas.addEventListener("wheel", (event) => {
    const [x, y] = place(event), by = Math.exp(Math.min(Math.max(event.deltaY * (event.deltaMode ? 16 : 1), -300), 300) * 0.002);
    if (by > 1 && view.isWhole()) return;  // the page scrolls on
    event.preventDefault();
    view.zoom(by, Math.min(Math.max(x, 0), 1), Math.min(Math.max(y, 0), 1), x >= 0 || !vertical, vertical && y <= 1);
  }, { passive: false });
  let grip = null, box = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    grip = { at: place(event), ...view };
    if (event.shiftKey) box = element("div", canvas.parentNode, "box");
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [x, y] = place(event), [u, v] = grip.at;
    if (box) {
      const [left, right] = [Math.min(x, u), Math.max(x, u)], [top, bottom] = vertical ? [Math.min(y, v), Math.max(y, v)] : [0, 1];
      box.style.left = `${plot.left + left * plot.width}px`;
      box.style.top = `${canvas.offsetTop + plot.top + top * plot.height}px`;
      box.style.width = `${(right - left) * plot.width}px`;
      box.style.height = `${(bottom - top) * plot.height}px`;
      return;
    }
    const time = (u - x) * (grip.t1 - grip.t0), lanes = vertical ? (v - y) * (grip.y1 - grip.y0) : 0;
    view.set(grip.t0 + time, grip.t1 + time, grip.y0 + lanes, grip.y1 + lanes);
  });
  const release = (event) => {
    if (box) {
      const [x, y] = place(event), [u, v] = grip.at, { t0, t1, y0, y1 } = view;
      const time = (part) => t0 + part * (t1 - t0), lane = (part) => y0 + part * (y1 - y0);
      const [top, bottom] = vertical ? [Math.min(y, v), Math.max(y, v)] : [0, 1];
      if (Math.abs(x - u) * plot.width > 3) view.set(time(Math.min(x, u)), time(Math.max(x, u)), lane(top), lane(bottom));
      box.remove();
    }
    [grip, box] = [null, null];
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("dblclick", view.showAll);
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key], by = { "+": 0.5, "-": 2 }[event.key];
    if (move) {
      const time = move[0] * 0.2 * (view.t1 - view.t0), lanes = move[1] * 0.2 * (view.y1 - view.y0);
      view.set(view.t0 + time, view.t1 + time, view.y0 + lanes, view.y1 + lanes);
    } else if (by) view.zoom(by, 0.5, 0.5, true, vertical);
    else return;
    event.preventDefault();
  });
}
