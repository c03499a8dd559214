// An alarm's graph: what it saw against its threshold or band, with its states below on the same axis of time.
import { draw } from "./draw.js";
import { say } from "./app.js";

const MORE = ["range", "range-wash", "limit", "alarm", "ok", "unknown"];
const AXIS = 44; // pixels left of the graphs, so that they lie below each other
const SLIM = 6; // pixels
const HOUR = 3600000;
const EVERY = 60000; // milliseconds after which new values are asked for
const time = (text) => Date.parse(text);
let chart = null;
let place = null;
let known = "";

function spec(alarm) {
  const { graph, states, trial } = alarm;
  const span = [time(alarm.since_shown), time(alarm.until_shown)];
  const inside = (rows) => rows.map((row) => ({ ...row, since: Math.max(time(row.since), span[0]), until: Math.min(time(row.until), span[1]) })).filter((row) => row.since < row.until);
  return ({ width, colours }) => {
    const x = timeline(width, span[1] - span[0] < 30 * HOUR ? "%H:%M" : span[1] - span[0] < 100 * HOUR ? "%b %d, %H:%M" : "%b %d");
    const y = (field, extra = {}) => ({ field, type: "quantitative", scale: { zero: true, nice: true }, axis: { title: null, tickCount: 3, format: ",.6~g", minExtent: AXIS, maxExtent: AXIS, domain: false, ticks: false }, ...extra });
    const room = Math.max(60, width - AXIS - 14);
    const values = inside(graph.values);
    if (!graph.band) spikes(values, (span[1] - span[0]) / room * SLIM);
    const told = [{ field: "said", type: "nominal" }];
    const layers = [ends(span, x)];
    if (graph.band) layers.push({ data: { values: inside(graph.band) }, mark: { type: "rect", color: colours["good-wash"], stroke: colours["good-wash"] }, encoding: { x: x(), x2: { field: "until" }, y: y("lower"), y2: { field: "upper" } } });
    layers.push(
      { data: { values }, mark: { type: "rect", color: colours["range-wash"], opacity: graph.band ? 0.5 : 1 }, encoding: { x: x(), x2: { field: "until" }, y: y("high"), y2: { datum: 0 } } },
      { data: { values }, mark: { type: "rect", color: colours.range, stroke: colours.range, strokeWidth: 1.5 }, encoding: { x: x(), x2: { field: "until" }, y: y("low"), y2: { field: "high" } } },
    );
    layers.push({ data: { values: values.filter((row) => row.spike) }, mark: { type: "rect", color: colours.range, stroke: colours.range, strokeWidth: 1.5 }, encoding: { x: x(), x2: { field: "until" }, y: y("high"), y2: { datum: 0 } } });
    if (graph.threshold !== null) layers.push(
      { data: { values: [{ at: graph.threshold }] }, mark: { type: "rule", color: colours.limit, strokeWidth: 1.5, strokeDash: [6, 3] }, encoding: { y: y("at") } },
      // Its name, with a rim in the colour of the page, so that it can be read over bars.
      ...[{ stroke: colours.panel, strokeWidth: 4, color: colours.panel }, { color: colours.limit, stroke: null }].map((looks) => ({
        data: { values: [{ at: graph.threshold }] },
        mark: { type: "text", text: `threshold ${graph.operator} ${number(graph.threshold)}`, align: "right", dx: -2, dy: -6, fontWeight: 600, ...looks },
        encoding: { x: { value: room }, y: y("at") },
      })),
    );
    // What is pointed at: a stretch from top to bottom says what it is.
    layers.push({ data: { values: values.map((row) => ({ ...row, said: `${spoken(row.since)} to ${spoken(row.until)} UTC\n${row.low === row.high ? number(row.low) : `${number(row.low)} to ${number(row.high)}`}` })) }, mark: { type: "rect", opacity: 0, color: colours.ink }, encoding: { x: x(), x2: { field: "until" }, y: { value: 0 }, y2: { value: 150 }, tooltip: told } });
    const bands = [band(inside(states), "state", span, room, colours)];
    if (trial) bands.push(band(inside(trial.states), "tried", span, room, colours));
    return { data: { values: [] }, spacing: 6, resolve: { scale: { x: "independent" } }, vconcat: [{ width: room, height: 150, layer: layers.filter(filled) }, ...bands] };
  };
}

// Marks what is drawn as a solid bar: exact values, and of ranges those that rise from nothing and are too narrow for a pale colour to be seen.
function spikes(values, narrow) {
  for (const row of values) row.spike = row.low === row.high;
  for (let first = 0; first < values.length;) {
    let end = first;
    while (end < values.length && values[end].high !== 0 && (end === first || values[end].since === values[end - 1].until)) end += 1;
    if (end > first && values[end - 1].until - values[first].since < narrow) for (const row of values.slice(first, end)) row.spike = true;
    first = Math.max(end, first + 1);
  }
}

// The axis of time; only the first who asks says how it looks, the others share it.
function timeline(width, format = "") {
  let first = true;
  return () => {
    const field = { field: "since", type: "temporal" };
    if (!first) return field;
    first = false;
    const axis = width ? { format, title: null, grid: false, tickCount: Math.max(2, Math.round(width / 130)), labelFlush: true, labelBound: true } : null;
    return { ...field, scale: { type: "utc", nice: false }, axis };
  };
}

const filled = (layer) => layer.data.values.length > 0;

// The ends of the time, drawn as nothing: so the axis reaches from the one to the other.
const ends = (span, x) => ({ data: { values: span.map((since) => ({ since })) }, mark: { type: "rule", opacity: 0 }, encoding: { x: x() } });

// States, each of another height: shape as well as colour.
function band(rows, label, span, width, colours) {
  const x = timeline(0);
  const axis = { title: null, values: [0.5], labelExpr: `'${label}'`, grid: false, ticks: false, domain: false, minExtent: AXIS, maxExtent: AXIS };
  const marks = {
    ALARM: { low: 0, high: 1, fill: colours.alarm, stroke: colours.alarm },
    INSUFFICIENT_DATA: { low: 0.35, high: 0.65, fill: "transparent", stroke: colours.unknown, strokeDash: [3, 2] },
    OK: { low: 0, high: 0.3, fill: colours.ok, stroke: colours.ok },
  };
  return {
    width, height: 20,
    layer: [ends(span, x), ...Object.entries(marks).map(([state, { low, high, ...looks }]) => ({
      data: { values: rows.filter((row) => row.state === state).map((row) => ({ ...row, low, high, said: `${state}\n${spoken(row.since)} to ${spoken(row.until)} UTC` })) },
      mark: { type: "rect", ...looks },
      encoding: { x: x(), x2: { field: "until" }, y: { field: "low", type: "quantitative", scale: { domain: [0, 1] }, axis }, y2: { field: "high" }, tooltip: [{ field: "said", type: "nominal" }] },
    }))].filter(filled),
  };
}

const number = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(6))));
const spoken = (moment) => new Date(moment).toISOString().slice(0, 16).replace("T", " ");

// Where the API has what is drawn: a page that is open at the present moves on with it.
function address(data) {
  const query = new URLSearchParams(data.query);
  const length = time(data.untilShown) - time(data.since);
  query.set("since", data.until ? data.since : new Date(Math.round((Date.now() - length) / 1000) * 1000).toISOString());
  if (data.until) query.set("until", data.until);
  return `/api/v1/alarms/one?${query}`;
}

// One after the other, so that there is one chart.
let shown = Promise.resolve();
const show = () => { shown = shown.then(load, load); return shown; };

async function load() {
  const answer = await fetch(address(place.dataset), { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) {
    if (!chart) place.textContent = "The values could not be read; the numbers below are those of when the page was loaded.";
    return;
  }
  const text = await answer.text();
  if (text === known) return;
  known = text;
  const alarm = JSON.parse(text);
  if (!alarm.graph) return;
  if (chart) await chart.update(spec(alarm));
  else chart = await draw(place, spec(alarm), { more: MORE });
}

// A part that was loaded again keeps the chart that is there, and what was opened in it.
const open = new Set();
const state = () => document.querySelector(".marked .status")?.textContent ?? "";
let before = state();
document.addEventListener("toggle", (event) => { if (event.target.id) event.target.open ? open.add(event.target.id) : open.delete(event.target.id); }, true);
document.addEventListener("renewed", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  const fresh = document.getElementById("chart");
  if (!fresh) return;
  if (place) {
    Object.assign(place.dataset, fresh.dataset);
    place.className = fresh.className;
    fresh.replaceWith(place);
  } else place = fresh;
  show();
  const now = state();
  if (now !== before) say(`The alarm is in ${now}.`);
  before = now;
});

place = document.getElementById("chart");
if (place) {
  show();
  setInterval(() => { if (!document.hidden && !place.dataset.until) show(); }, EVERY);
}
