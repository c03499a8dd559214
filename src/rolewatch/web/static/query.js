// The page of queries: writing one, running it, looking how far it is, and what it gave.
import { ask, change, say } from "./app.js";
import { Completion } from "./query_complete.js";
import { Picture, Table, histogram, iso, number, plural, size } from "./query_result.js";

const $ = (where, from = document) => from.querySelector(where);
const form = $("#ask");
const area = $("#query");
const fields = form.elements;
const MOST = 10000;
const PAGE = 200; // rows that are drawn at once
const table = new Table();
const picture = new Picture();
let run = null; // the query that is being asked, or was last
let view = new URLSearchParams(location.search).get("view") === "chart" ? "chart" : "rows";
let lake = null;

const completion = new Completion(area, $("#hints"), (text) => { $("#offered").textContent = text; });

// What is wrong with the query, below it, with carets at the place
function wrong(problem) {
  const box = $("#wrong");
  box.hidden = !problem;
  area.setAttribute("aria-invalid", String(Boolean(problem)));
  if (!problem) return;
  const [line, carets] = (problem.drawing ?? "").split("\n");
  $("pre", box).hidden = !carets;
  $("pre", box).textContent = `${line}\n${carets ?? ""}`;
  $("[data-what]", box).textContent = `${problem.detail[0].toUpperCase()}${problem.detail.slice(1)}.`;
  $("[data-remedy]", box).textContent = `${problem.line ? `Line ${problem.line}, column ${problem.column}. ` : ""}${problem.remedy ? `${problem.remedy[0].toUpperCase()}${problem.remedy.slice(1)}${/[.?]$/.test(problem.remedy) ? "" : "."}` : ""}`;
  const place = $("[data-show]", box);
  place.hidden = problem.start === undefined;
  // The server counts characters, and a text of JavaScript has two units for some.
  const units = (characters) => [...area.value].slice(0, characters).join("").length;
  place.onclick = () => { area.focus(); area.setSelectionRange(units(problem.start), Math.max(units(problem.end), units(problem.start + 1))); };
}

let checking = 0;
function check() {
  clearTimeout(checking);
  checking = setTimeout(async () => {
    const text = area.value;
    if (!text.trim()) { wrong(null); return; }
    const { ok, found } = await ask("POST", "/api/v1/query/check", { query: text, since: fields.since.value, until: fields.until.value });
    if (!ok || text !== area.value) return;
    const unfinished = found.problem?.start >= [...text.trimEnd()].length && document.activeElement === area;
    wrong(unfinished ? null : found.problem); // what is still being typed is not wrong yet
  }, 500);
}

function address() {
  const values = new URLSearchParams();
  values.set("query", area.value);
  values.set("since", fields.since.value.trim());
  if (fields.until.value.trim()) values.set("until", fields.until.value.trim());
  if (view === "chart") values.set("view", "chart");
  return `/query?${values}`;
}

function pressed() {
  for (const button of form.querySelectorAll("[data-since]")) button.setAttribute("aria-pressed", String(button.dataset.since === fields.since.value.trim() && !fields.until.value.trim()));
}

async function start({ push = true } = {}) {
  completion.close();
  clearTimeout(checking);
  if (!area.value.trim()) { area.focus(); return; }
  stop();
  const own = run = { id: null, over: false, shown: false, began: Date.now() };
  pressed();
  if (push && location.pathname + location.search !== address()) history.pushState(null, "", address());
  $("#named").open = false;
  $("#result").hidden = false;
  $("#failed").hidden = true;
  $("#answer").hidden = true;
  waiting({ doing: "Starting", share: null });
  const { ok, found } = await ask("POST", "/api/v1/query", { query: area.value, since: fields.since.value, until: fields.until.value, limit: MOST });
  if (own !== run) { if (found.id) ask("DELETE", `/api/v1/query/${found.id}`); return; }
  if (!ok) {
    own.over = true;
    waiting(null);
    if (found.start !== undefined) { $("#result").hidden = true; wrong(found); area.focus(); } else failed(found);
    return;
  }
  own.id = found.id;
  wrong(null);
  await follow(own);
}

async function follow(own) {
  let pause = 80;
  while (own === run) {
    const { ok, found } = await ask("GET", `/api/v1/query/${own.id}?rows=${own.shown ? 0 : PAGE}`);
    if (own !== run) return;
    if (!ok) { own.over = true; waiting(null); failed(found); return; }
    if (found.statistics && !own.shown) { own.shown = true; answered(own, found); }
    if (found.status !== "running") {
      own.over = true;
      waiting(null);
      if (found.status === "done") histogram(found.histogram, found.statistics.records_matched, narrow);
      else if (found.status === "cancelled") failed({ title: "Cancelled", detail: `The query was cancelled after ${found.seconds} seconds.`, remedy: null });
      else { failed(found.problem); if (found.problem.start !== null) wrong(found.problem); }
      return;
    }
    waiting(found.progress, found.seconds);
    await new Promise((done) => { setTimeout(done, pause); });
    pause = Math.min(pause * 1.4, 700);
  }
}

// Ends the query that is running, where nobody looks at it any more.
function stop() {
  if (run && !run.over && run.id) fetch(`/api/v1/query/${run.id}`, { method: "DELETE", keepalive: true }).catch(() => null);
  if (run) run.over = true;
  run = null;
}

function waiting(progress, seconds = 0) {
  const box = $("#running");
  box.hidden = !progress;
  $("#result").setAttribute("aria-busy", String(Boolean(progress)));
  if (!progress) return;
  const bar = $("progress", box);
  if (progress.share === null) bar.removeAttribute("value");
  else bar.value = progress.share;
  $("[data-doing]", box).textContent = progress.doing;
  $("[data-clock]", box).textContent = `${progress.share === null ? "" : `${Math.round(progress.share * 100)} %, `}${seconds.toFixed(1)} s`;
}

function failed(problem) {
  const box = $("#failed");
  box.hidden = false;
  $("h2", box).textContent = problem.title;
  $("[data-detail]", box).textContent = problem.detail;
  $("[data-remedy]", box).textContent = problem.remedy ?? "";
}

function answered(own, found) {
  const { statistics, total } = found;
  own.next = found.next;
  own.chart = found.chart;
  $("#answer").hidden = false;
  $("#histogram").hidden = true;
  $("[data-total]").textContent = `${found.more ? "More than " : ""}${plural(total, "row")}`;
  $("[data-statistics]").textContent = `${number(statistics.records_matched)} of ${plural(statistics.records_scanned, "record")} match; ${size(statistics.bytes_scanned)} in ${plural(statistics.deliveries, "file")}, ${statistics.seconds} s`;
  const notes = [...found.notes];
  if (found.more) notes.push(`These are the first ${number(total)} rows. Write | limit N for fewer; a file has up to 100,000.`);
  $("[data-notes]").hidden = !notes.length;
  $("[data-notes]").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  for (const link of document.querySelectorAll("[data-file]")) link.href = `/api/v1/query/${own.id}/export?format=${link.dataset.file}`;
  $("[data-files]").hidden = !total;
  table.begin(found.columns);
  table.add(found.rows);
  $("#more").hidden = own.next === null;
  $("#none").hidden = Boolean(total);
  if (!total) {
    const all = !fields.since.value.trim() && !fields.until.value.trim();
    $("[data-why]").textContent = `${plural(statistics.records_scanned, "record")} of the lake lie in files of this time.${lake?.first ? ` The lake has records from ${lake.first} to ${lake.last}.` : ""}`;
    $("#none button").hidden = all;
  }
  $(".views").hidden = !found.chart;
  show(found.chart ? view : "rows");
}

async function show(wanted) {
  const chart = wanted === "chart" && run?.chart;
  for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === (chart ? "chart" : "rows")));
  $("#chart").hidden = !chart;
  $("#rows").hidden = Boolean(chart) || !table.count;
  if (chart) await picture.show(run.chart);
  else picture.end();
}

async function more() {
  const own = run;
  const button = $("#more");
  button.disabled = true;
  const { ok, found } = await ask("GET", `/api/v1/query/${own.id}?rows=${PAGE * 5}&after=${own.next}`);
  button.disabled = false;
  if (own !== run) return;
  if (!ok) { say(`${found.detail ?? "The rows could not be read."} ${found.remedy ?? ""}`); return; }
  table.add(found.rows);
  own.next = found.next;
  button.hidden = own.next === null;
}

function narrow(since, until) {
  fields.since.value = iso(since);
  fields.until.value = iso(until);
  start();
}

async function renewSaved() {
  const answer = await fetch("/query", { headers: { "X-Part": "saved", Accept: "text/html" } }).catch(() => null);
  if (answer?.ok) $("#saved").replaceChildren(document.createRange().createContextualFragment(await answer.text()));
}

async function save(event) {
  if (event.submitter?.value !== "save") return;
  event.preventDefault();
  const box = $("#save");
  const { name, replace } = event.target.elements;
  try {
    await change("POST", "/api/v1/queries", { name: name.value, query: area.value, replace: replace.checked });
  } catch (error) {
    $(".wrong", box).textContent = error.message;
    $(".wrong", box).hidden = false;
    return;
  }
  box.close();
  event.target.reset();
  say("Saved.");
  renewSaved();
}

form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
area.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); start(); }
});
area.addEventListener("input", check);
for (const name of ["since", "until"]) fields[name].addEventListener("input", () => { pressed(); check(); });
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.since !== undefined) { fields.since.value = button.dataset.since; fields.until.value = ""; pressed(); start(); }
  else if (button.dataset.use) { area.value = JSON.parse(button.dataset.use); area.rows = Math.min(12, Math.max(4, area.value.split("\n").length + 1)); area.focus(); wrong(null); start(); }
  else if (button.dataset.delete) {
    try { await change("DELETE", `/api/v1/queries?name=${encodeURIComponent(JSON.parse(button.dataset.delete))}`); say("Deleted."); } catch (error) { say(error.message); }
    renewSaved();
  }
  else if (button.dataset.view) { view = button.dataset.view; history.replaceState(null, "", address()); show(view); }
  else if (button.id === "cancel" && run?.id) ask("DELETE", `/api/v1/query/${run.id}`);
  else if (button.id === "more") more();
  else if (button.id === "keep") { $(".wrong", $("#save")).hidden = true; $("#save").showModal(); }
});
$("#save-form").addEventListener("submit", save);
addEventListener("pagehide", stop);
addEventListener("popstate", () => { read(); if (area.value.trim()) start({ push: false }); });

function read() {
  const values = new URLSearchParams(location.search);
  area.value = values.get("query") ?? "";
  fields.since.value = values.get("since") ?? "";
  fields.until.value = values.get("until") ?? "";
  view = values.get("view") === "chart" ? "chart" : "rows";
  pressed();
}

const begun = new URLSearchParams(location.search);
if (begun.get("query")?.trim()) start({ push: false });
const { ok, found } = await ask("GET", "/api/v1/query/fields");
if (ok) {
  completion.known = found;
  lake = found.lake;
  $("#lake").textContent = lake.missing ?? (lake.records ? `The lake has ${plural(lake.records, "record")}, from ${lake.first} to ${lake.last}.` : "The lake has no records yet.");
  // A week is a good start, where the lake has anything of it.
  if (!begun.has("since") && !fields.since.value && lake.last && Date.now() - Date.parse(lake.last) < 7 * 86400000 && !run) fields.since.value = "7d";
  pressed();
}
