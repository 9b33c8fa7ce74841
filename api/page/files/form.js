// The form made from the model's own columns, and the answer to it.
import { number } from "./drawing.js";

const field = (name) => document.getElementById(`field-${name}`);

function control(column, index) {
  const middle = column.low === null || column.low === undefined ? 0 : (column.low + column.high) / 2;
  if (column.kind === "number") {
    const input = document.createElement("input");
    Object.assign(input, { type: "number", step: "any", value: column.nullable ? "" : +middle.toPrecision(3), required: !column.nullable });
    return input;
  }
  if (column.kind === "boolean") {
    const select = document.createElement("select");
    if (column.nullable) select.add(new Option("not known", ""));
    select.add(new Option("true", "true"));
    select.add(new Option("false", "false"));
    return select;
  }
  const input = document.createElement("input");
  const list = document.createElement("datalist");
  list.id = `categories-${index}`;
  list.append(...column.categories.map((name) => new Option(name)));
  input.setAttribute("list", list.id);
  Object.assign(input, { type: "text", value: column.nullable ? "" : (column.categories[0] ?? ""), required: !column.nullable });
  input.after(list);
  return [input, list];
}

export function build(container, columns) {
  container.replaceChildren(
    ...columns.map((column, index) => {
      const line = document.createElement("div");
      const label = document.createElement("label");
      line.className = "field";
      label.htmlFor = `field-${index}`;
      label.textContent = column.nullable ? `${column.name} (may be empty)` : column.name;
      const [input, ...more] = [control(column, index)].flat();
      input.id = `field-${index}`;
      line.append(label, input, ...more);
      return line;
    }),
  );
}

export function row(columns) {
  return columns.map((column, index) => {
    const text = field(index).value;
    if (text === "" && column.nullable) return null;
    if (column.kind === "number") return Number(text);
    return column.kind === "boolean" ? text === "true" : text;
  });
}

const strong = (text) => Object.assign(document.createElement("strong"), { textContent: text });

function likelihoods(probabilities) {
  const sorted = Object.entries(probabilities).sort(([, one], [, other]) => other - one);
  return sorted.slice(0, 10).map(([name, share]) => {
    const bar = document.createElement("div");
    const label = document.createElement("span");
    const meter = document.createElement("meter");
    const percent = document.createElement("span");
    bar.className = "bar";
    label.textContent = name;
    Object.assign(meter, { value: share, min: 0, max: 1, ariaLabel: `probability of ${name}` });
    percent.textContent = `${(100 * share).toFixed(1)} %`;
    bar.append(label, meter, percent);
    return bar;
  });
}

export function show(container, model, body) {
  const details = document.createElement("span");
  const about = [`version ${body.model_version}`, body.cached ? "from the cache" : "computed"];
  if (body.probabilities) {
    details.textContent = `95 % set: ${body.prediction_sets[0].join(", ")}; ${about.join(", ")}`;
    container.replaceChildren(strong(String(body.predictions[0])), details, ...likelihoods(body.probabilities[0]));
  } else {
    const [low, high] = body.intervals[0];
    details.textContent = `95 % interval ${number(low)} to ${number(high)}; ${about.join(", ")}`;
    container.replaceChildren(strong(`${model.target} = ${number(body.predictions[0])}`), details);
  }
  const unseen = body.unseen?.[0] ?? [];
  if (unseen.length) {
    const note = document.createElement("p");
    note.textContent = `Not seen in training: ${unseen.join(", ")}`;
    container.append(note);
  }
}

export function problem(container, text) {
  const line = Object.assign(document.createElement("p"), { className: "error", textContent: text });
  container.replaceChildren(line);
}
