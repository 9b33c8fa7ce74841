// What is tried beside the current version: a canary, and a shadow with what `models compare` says of it.
import { number } from "./drawing.js";

const PAUSE_MILLISECONDS = 10000; // the api compares anew as often
const at = (id) => document.getElementById(id);
let compared = { version: null, at: 0, lines: [] };

// `ask` is fetch with the key; `found` has `shadow`, a version, and `canary`, each null where there is none.
export async function trials(found, ask) {
  at("trials").hidden = !found.shadow && !found.canary;
  if (at("trials").hidden) return;
  const lines = [...canary(found.canary), ...(await shadow(found.shadow, ask))];
  const shown = at("trials-text");
  if (shown.dataset.lines === lines.join("\n")) return;
  shown.dataset.lines = lines.join("\n");
  shown.replaceChildren(...lines.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
}

function canary(found) {
  if (!found) return [];
  if (found.taken_back) return [`Canary: version ${found.version} was taken back; models history says why.`];
  return [`Canary: version ${found.version} answers ${number(100 * found.share)} % of the callers.`];
}

async function shadow(version, ask) {
  if (!version) return [];
  if (compared.version !== version || Date.now() - compared.at > PAUSE_MILLISECONDS) {
    const answer = await ask(`/models/compare?version=${version}`);
    const body = await answer.json();
    const lines = answer.ok ? comparison(body) : [`It cannot be compared: ${body.detail}`];
    compared = { version, at: Date.now(), lines };
  }
  return [`Shadow: version ${version} is scored on the requests that the current one answers.`, ...compared.lines];
}

function comparison({ requests, rows, truths, conclusion, ...found }) {
  if (!requests) return [conclusion];
  const difference = found.differing_share === null || found.differing_share === undefined
    ? `mean difference ${number(found.mean_difference)}, largest ${number(found.max_difference)}`
    : `another class in ${number(100 * found.differing_share)} % of the rows`;
  const errors = truths && `${truths.measure.replaceAll("_", " ")} on ${truths.rows} true values: ${number(truths.current)} of the current version, ${number(truths.challenger)} of the shadow${truths.p_value === null ? "" : ` (p-value ${number(truths.p_value)})`}.`;
  return [`Compared on ${requests} requests with ${rows} rows: ${difference}.`, ...(errors ? [errors] : []), conclusion];
}
