// Draws in SVG. Every text from outside is set as text, never as markup.
const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [600, 360, 56, 12, 10, 40];

export function shape(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function number(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(5));
}

// A linear scale from values to pixels, widened to round numbers; `ticks` are five or so of those.
function scale(values, from, to) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  [low, high] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => +(low + index * step).toPrecision(12));
  return { low, high, ticks, at: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

function frame(x, y, names, label) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const up of y.ticks) {
    svg.append(
      shape("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y.at(up), y2: y.at(up) }),
      shape("text", { x: LEFT - 6, y: y.at(up) + 4, "text-anchor": "end" }, number(up)),
    );
  }
  for (const across of x.ticks) {
    svg.append(shape("text", { x: x.at(across), y: HEIGHT - 22, "text-anchor": "middle" }, number(across)));
  }
  svg.append(
    shape("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, names[0]),
    shape("text", { x: 12, y: HEIGHT / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${HEIGHT / 2})` }, names[1]),
  );
  return svg;
}

function dots(svg, points, x, y, kind) {
  for (const [across, up] of points) {
    svg.append(shape("circle", { class: kind, cx: x.at(across), cy: y.at(up), r: 2.5 }));
  }
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// The picture of a model: the fit over its only feature, or actual against predicted values of the hold-out. `asked` is an
// answer with its interval; of several features no place is known, so it is a line across.
export function picture(model, asked) {
  const { kind, training, holdout, curve = [] } = model.picture;
  const points = [...training, ...holdout];
  const fit = kind === "fit";
  const xs = points.map(([value]) => value).concat(fit && asked ? [asked.x] : []);
  const ys = points.map(([, value]) => value).concat(curve.flatMap(([, , low, high]) => [low, high]), asked ? [asked.low, asked.high] : []);
  const even = fit ? null : [...xs, ...ys];
  const x = scale(even ?? xs, LEFT, WIDTH - RIGHT);
  const y = scale(even ?? ys, HEIGHT - BOTTOM, TOP);
  const names = fit ? [model.columns[0].name, model.target] : [`actual ${model.target}`, "predicted"];
  const svg = frame(x, y, names, `${names[1]} over ${names[0]}`);
  if (fit) {
    const upper = curve.map(([at, , , high]) => [x.at(at), y.at(high)]);
    const lower = curve.map(([at, , low]) => [x.at(at), y.at(low)]).reverse();
    svg.append(shape("path", { class: "band", d: `${path([...upper, ...lower])}Z` }));
    svg.append(shape("path", { class: "curve", d: path(curve.map(([at, value]) => [x.at(at), y.at(value)])) }));
  } else {
    svg.append(shape("path", { class: "curve", d: path([[x.at(x.low), y.at(x.low)], [x.at(x.high), y.at(x.high)]]) }));
  }
  dots(svg, training, x, y, "training");
  dots(svg, holdout, x, y, "holdout");
  if (asked) svg.append(...(fit ? place(asked, x, y) : across(asked, y)));
  return svg;
}

function place({ x: at, value, low, high }, x, y) {
  return [
    shape("line", { class: "asked", x1: x.at(at), x2: x.at(at), y1: y.at(low), y2: y.at(high) }),
    shape("circle", { class: "asked", cx: x.at(at), cy: y.at(value), r: 5 }),
  ];
}

function across({ value, low, high }, y) {
  const width = WIDTH - RIGHT - LEFT;
  return [
    shape("rect", { class: "asked-interval", x: LEFT, width, y: y.at(high), height: y.at(low) - y.at(high) }),
    shape("line", { class: "asked", x1: LEFT, x2: LEFT + width, y1: y.at(value), y2: y.at(value) }),
  ];
}

// A line over the last five minutes or more; `points` are [seconds ago, value], the oldest first. A value that is null is not
// known: a gap in the line. `limit` is a value to compare with, drawn across.
export function chart(title, points, format, { seconds = 300, limit = null } = {}) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const latest = document.createElement("b");
  const known = points.filter(([, value]) => value !== null);
  const gaps = known.length < points.length ? ", with gaps" : "";
  latest.textContent = points.length && points.at(-1)[1] !== null ? format(points.at(-1)[1]) : "–";
  caption.append(`${title} `, latest);
  const svg = shape("svg", { viewBox: "0 0 304 70", role: "img", "aria-label": `${title}: ${latest.textContent}${gaps}` });
  svg.append(shape("line", { class: "axis", x1: 0, x2: 304, y1: 66, y2: 66 }));
  if (known.length) {
    const highest = Math.max(limit ?? 0, ...known.map(([, value]) => value)) || 1;
    const height = (value) => 66 - (60 * value) / highest;
    const place = ([ago, value]) => [300 - (300 * ago) / seconds, height(value)];
    const [across, up] = place(known.at(-1));
    if (limit !== null) svg.append(shape("line", { class: "limit", x1: 0, x2: 304, y1: height(limit), y2: height(limit) }));
    for (const run of runs(points)) svg.append(shape("path", { class: "curve", d: `${path(run.map(place))}h0` }));
    svg.append(shape("circle", { class: "asked", cx: across, cy: up, r: 2 }));
  }
  figure.append(caption, svg);
  return figure;
}

// The parts of a line between its gaps.
function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point[1] !== null) found.at(-1).push(point);
    else found.push([]);
  }
  return found.filter((run) => run.length);
}
