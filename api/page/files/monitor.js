// Drift and the error on true values, as the monitor found them at its last checks; and links to what else runs.
import { chart, number } from "./drawing.js";

const LEAST_SECONDS = 300;
const percent = (value) => `${(100 * value).toFixed(0)} %`;
const at = (id) => document.getElementById(id);
const ERRORS = ["rmse", "log_loss"];

// `found` is null before the monitor was asked, false if it does not answer.
export function monitor(found) {
  at("monitor").hidden = found === null;
  at("drift-link").hidden = !found;
  if (found === null) return;
  const lines = found ? [...drift(found), ...live(found)] : ["The monitor does not run. Start it with --profile extended, or with docker-compose.monitoring.yaml."];
  const shown = at("monitor-text");
  if (shown.dataset.lines !== lines.join("\n")) {
    shown.dataset.lines = lines.join("\n");
    shown.replaceChildren(...lines.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  }
  at("monitor-charts").replaceChildren(...(found ? charts(found) : []));
}

function drift({ report, failure, min_rows }) {
  const failed = failure ? [`The last check failed: ${failure}`] : [];
  if (!report) return failure ? failed : ["No check has finished yet."];
  const drifted = report.columns.filter((column) => column.drifted).map((column) => column.name);
  const found = {
    "no model": "No model is current, so there is nothing to compare.",
    "insufficient data": `${report.window_rows} logged rows of version ${report.model_version}; drift needs at least ${min_rows}.`,
    stable: `No drift: ${report.window_rows} logged rows of version ${report.model_version} are like its training data.`,
    drifted: `Drifted from the training data: ${drifted.join(", ")} (${report.window_rows} logged rows of version ${report.model_version}).`,
  }[report.status];
  return [found, ...failed];
}

function live({ live: versions }) {
  if (!versions.length) return ["No client has sent true values yet: POST /feedback."];
  return versions.slice(0, 3).map((each) => {
    const measures = Object.entries(each.measures).map(([name, value]) => {
      const holdout = name in each.holdout ? ` (hold-out ${number(each.holdout[name])})` : "";
      return `${name.replaceAll("_", " ")} ${number(value)}${holdout}`;
    });
    return `Version ${each.model_version} on ${each.rows} true values: ${measures.join(", ")}.`;
  });
}

function charts({ history, live: versions, report }) {
  if (!history.length || !report) return [];
  const latest = history.at(-1).at;
  const seconds = Math.max(LEAST_SECONDS, latest - history[0].at);
  const line = (name) => history.filter((point) => point[name] !== null).map((point) => [latest - point.at, point[name]]);
  const current = versions.find((each) => each.model_version === report.model_version);
  const measure = ERRORS.find((name) => current && name in current.measures);
  const drawn = [
    chart("drift index, share of its limit", line("psi"), percent, { seconds, limit: 1 }),
    chart("outside the training data", line("extrapolated"), percent, { seconds }),
  ];
  if (measure) {
    const title = `${measure.replaceAll("_", " ")} on true values`;
    drawn.push(chart(title, line("live"), number, { seconds, limit: current.holdout[measure] ?? null }));
  }
  return drawn;
}

// What is on loopback is a link only in a browser that is there, too.
export function links(container, found) {
  const near = (name) => ["localhost", "127.0.0.1", "[::1]"].includes(name);
  const reachable = Object.entries(found).filter(([, address]) => near(location.hostname) || !near(new URL(address).hostname));
  const text = JSON.stringify(reachable);
  if (container.dataset.links === text) return;
  container.dataset.links = text;
  container.replaceChildren(...reachable.map(([name, href]) => Object.assign(document.createElement("a"), { textContent: name, href })));
}
