// The charts of the last five minutes: the log's traffic in parts of ten seconds, and what waits for PostgreSQL.
import { chart, number } from "./drawing.js";

const PART_SECONDS = 10;
const at = (id) => document.getElementById(id);
let counted = new Map();
let waited = [];

// `requests` of a part is null where it is not counted. Another replica, which answered before, may have counted it.
export function traffic({ now, traffic: latest, queue }) {
  counted = new Map(latest.map((part) => [part.at, part.requests === null ? (counted.get(part.at) ?? part) : part]));
  waited = [...waited.filter(([time]) => time > now - 300), [now, queue]];
  const parts = [...counted.values()];
  const busy = parts.filter((part) => part.requests !== 0);
  const line = (some, value) => some.map((part) => [now - part.at - PART_SECONDS, part.requests === null ? null : value(part)]);
  at("charts").replaceChildren(
    chart("requests a second", line(parts, (part) => part.requests / PART_SECONDS), number),
    chart("latency, 95th percentile", line(busy, (part) => 1000 * part.latency), (value) => `${number(+value.toFixed(1))} ms`),
    chart("answered from the cache", line(busy, (part) => 100 * part.hits), (value) => `${value.toFixed(0)} %`),
    chart("waiting for PostgreSQL", waited.map(([time, value]) => [now - time, value]), number),
  );
  note(parts.filter((part) => part.requests === null).length, parts.length, queue);
}

function note(gaps, parts, queue) {
  const lines = [];
  if (gaps) lines.push(`Gaps: ${gaps} of ${parts} parts of ten seconds are not counted: not yet, or they have too many requests.`);
  if (queue) lines.push(`What waits for PostgreSQL (${queue}) is counted when it is written.`);
  const text = lines.join(" ");
  if (at("traffic-note").textContent !== text) at("traffic-note").textContent = text;
}
