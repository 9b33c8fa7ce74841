// The tables of predictions and versions, and the confusion matrix.
import { number } from "./drawing.js";

const cell = (text, kind) => {
  const element = document.createElement("td");
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
};
const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

let known = new Set();

export function predictions(body, rows) {
  const before = known;
  known = new Set(rows.map((row) => row.id));
  body.replaceChildren(
    ...rows.map((row) => {
      const line = document.createElement("tr");
      if (before.size && !before.has(row.id)) line.className = "new";
      line.append(
        cell(time(row.at)), cell(row.input ?? "", "text"), cell(row.prediction ?? "", "text"), cell(row.rows),
        cell(row.model_version), cell(row.cached ? "yes" : "no"), cell((1000 * row.latency).toFixed(1)),
      );
      return line;
    }),
  );
}

function error(metrics) {
  for (const name of ["rmse", "log_loss"]) {
    if (name in metrics) return `${name} ${number(metrics[name])}`;
  }
  return "";
}

export function versions(body, list, open) {
  body.replaceChildren(
    ...list.map((each) => {
      const line = document.createElement("tr");
      const report = cell("");
      if (each.report) {
        const link = Object.assign(document.createElement("a"), { textContent: "report", href: `/page/versions/${each.version}/report` });
        link.setAttribute("aria-label", `report on version ${each.version}`);
        link.addEventListener("click", (event) => open(event, link.href));
        report.append(link);
      }
      line.append(
        cell(each.version), cell(each.current ? `${each.verdict}, served now` : each.verdict), cell(each.estimator, "text"),
        cell(error(each.metrics)), cell(each.rows), cell(new Date(each.created).toLocaleString()), report,
      );
      return line;
    }),
  );
}

// `predicted` is the class of an answer: its column is marked.
export function confusion(classes, counts, predicted) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  const marked = classes.indexOf(predicted);
  const kind = (index) => (index >= 0 && index === marked ? "asked" : "");
  table.className = "matrix";
  ["actual \\ predicted", ...classes].forEach((name, index) => {
    const title = Object.assign(document.createElement("th"), { scope: "col", textContent: name, className: kind(index - 1) });
    if (title.className) title.setAttribute("aria-current", "true");
    head.append(title);
  });
  counts.forEach((row, index) => {
    const line = table.insertRow();
    line.append(Object.assign(document.createElement("th"), { scope: "row", textContent: classes[index] }));
    row.forEach((count, column) => line.append(cell(count, kind(column))));
  });
  return table;
}
