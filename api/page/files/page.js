// One page: what the service is, a form for its model, and what happens now. It asks every two seconds while it is seen.
import { number, picture } from "./drawing.js";
import { build, problem, row, show } from "./form.js";
import { links, monitor } from "./monitor.js";
import { openReport } from "./report.js";
import { confusion, predictions, versions } from "./tables.js";
import { traffic } from "./traffic.js";
import { trials } from "./trials.js";

const POLL_MILLISECONDS = 2000;
const at = (id) => document.getElementById(id);
const state = { key: "", model: null, loaded: null, listed: null };

async function ask(path, options = {}) {
  const headers = { ...options.headers, ...(state.key ? { "X-API-Key": state.key } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) at("key").hidden = false;
  return answer;
}

async function poll() {
  let wait = POLL_MILLISECONDS;
  try {
    const answer = await ask("/page/state");
    if (answer.ok) await update(await answer.json());
    else if (answer.status === 401) health("unhealthy", "a key is required");
    else health("unhealthy", (await answer.json()).detail ?? `status ${answer.status}`);
  } catch {
    health("unhealthy", "the service does not answer");
    wait *= 2;
  }
  setTimeout(poll, wait);
}

function health(kind, text) {
  const line = at("health");
  if (line.textContent !== text) line.textContent = text;
  line.className = kind;
}

async function update({ health: report, queue, log, ...beside }) {
  at("key").hidden = true;
  at("content").hidden = false;
  const away = ["database", "redis"].filter((store) => report[store] !== "connected");
  const stores = away.length ? `, ${away.map((store) => (store === "database" ? "PostgreSQL" : "Redis")).join(" and ")} away` : "";
  health(report.status, `${report.status}${stores}`);
  at("log-away").hidden = log !== null;
  if (log) {
    predictions(at("log-rows"), log.predictions);
    traffic({ ...log, queue });
  }
  monitor(beside.monitor);
  links(at("links"), beside.links);
  if (report.model_version !== state.loaded) await load(report.model_version);
  if (beside.versions !== state.listed) await list(beside.versions);
  await trials(beside.trials, ask);
}

async function list(mark) {
  const answer = await ask("/page/versions");
  if (!answer.ok) return;
  versions(at("version-rows"), await answer.json(), open);
  state.listed = mark;
}

async function load(version) {
  const answer = await ask("/page/model");
  const none = !answer.ok;
  at("model-none").hidden = !none;
  for (const id of ["model-facts", "ask", "picture"]) at(id).hidden = none;
  if (none) {
    at("model-none").textContent = (await answer.json()).detail;
    return;
  }
  const model = await answer.json();
  state.loaded = version;
  const changed = JSON.stringify(state.model?.columns) !== JSON.stringify(model.columns);
  state.model = model;
  facts(model);
  if (changed) build(at("ask-fields"), model.columns);
  draw(null);
}

function facts(model) {
  const lines = {
    version: model.version,
    predicts: `${model.target} from ${model.columns.map((column) => column.name).join(", ")}`,
    estimator: model.estimator,
    trained: `${new Date(model.created).toLocaleString()}, on ${model.rows} rows of ${model.table}`,
    judged: model.reason,
    ...Object.fromEntries(Object.entries(model.metrics).map(([name, value]) => [`hold-out ${name}`, number(value)])),
  };
  at("model-facts").replaceChildren(
    ...Object.entries(lines).flatMap(([name, text]) => [
      Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: text }),
    ]),
  );
}

// `asked` is the answer to a question: its first prediction, and of a regressor the interval and the value of the first column.
function draw(asked) {
  const { model } = state;
  at("picture").hidden = model.picture === null;
  if (model.picture === null) return;
  const { kind, counts } = model.picture;
  at("picture-drawing").replaceChildren(kind === "confusion" ? confusion(model.classes, counts, asked?.value) : picture(model, asked));
  at("picture-legend").textContent = {
    fit: "grey: training rows, orange: hold-out, blue: the model with its 95 % interval, red: your question",
    agreement: "orange: rows of the hold-out, blue: a perfect prediction, red: the answer to your question with its 95 % interval",
    confusion: "rows of the hold-out; marked: those predicted as the answer to your question",
  }[kind];
}

async function predict(event) {
  event.preventDefault();
  const asked = row(state.model.columns);
  const body = JSON.stringify({ instances: [asked] });
  const answer = await ask("/predict", { method: "POST", body, headers: { "Content-Type": "application/json" } });
  const found = await answer.json();
  if (!answer.ok) return problem(at("answer"), found.detail);
  show(at("answer"), state.model, found);
  const [low, high] = found.intervals?.[0] ?? [];
  draw({ x: asked[0], value: found.predictions[0], low, high });
}

function open(event, address) {
  if (!state.key) return;
  event.preventDefault();
  openReport(ask(address));
}

at("drift-link").addEventListener("click", (event) => open(event, "/page/drift"));
at("ask-form").addEventListener("submit", predict);
at("key").addEventListener("submit", async (event) => {
  event.preventDefault();
  state.key = at("key-value").value;
  const answer = await ask("/page/state");
  at("key-error").textContent = answer.status === 401 ? "This key is not valid." : "";
  if (answer.ok) await update(await answer.json());
});
poll();
