// What pages do in a browser: keys, colours, copying, muting, and what is new while they are open.
import { follow } from "./live.js";

const $ = (where, from = document) => from.querySelector(where);
const $$ = (where, from = document) => [...from.querySelectorAll(where)];
const csrf = $('meta[name="csrf"]')?.content;

export function say(text) {
  const place = $("#said");
  place.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { place.textContent = ""; }, 6000);
}

// Asks the API to change something; throws an Error that says what to do.
export async function change(method, path, body) {
  const headers = { Accept: "application/json" };
  if (csrf) headers["X-Rolewatch-Csrf"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Error("The server does not answer. Nothing was changed.");
  }
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Error([problem.detail ?? `The server answered ${answer.status}.`, problem.remedy].filter(Boolean).join(" "));
}

// Loads the living part of the page again, and keeps what somebody has chosen or typed in it.
// Asks the API, and gives what it says, also where it says no or nothing.
export async function ask(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    const found = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, found };
  } catch {
    return { ok: false, status: 0, found: { title: "The server does not answer", detail: "It may be starting again.", remedy: "Try again in a moment." } };
  }
}

export async function renew(fresh = []) {
  const region = $("[data-live]");
  if (!region || document.hidden) { renew.due = Boolean(region); return; }
  renew.due = false;
  const part = region.id;
  const answer = await fetch(location.href, { headers: { "X-Part": part, Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const text = await answer.text();
  const chosen = new Set($$('input[name="ids"]:checked', region).map((box) => box.value));
  const current = $("tr[aria-current]", region)?.dataset.id;
  const typed = $$("input:not([type=checkbox])", region).filter((box) => box.value !== box.defaultValue).map((box) => [box.name, box.value]);
  const focused = region.contains(document.activeElement) ? path(document.activeElement, region) : null;
  region.replaceChildren(document.createRange().createContextualFragment(text));
  for (const box of $$('input[name="ids"]', region)) box.checked = chosen.has(box.value);
  for (const [name, value] of typed) { const box = $(`input[name="${CSS.escape(name)}"]`, region); if (box) box.value = value; }
  if (current) $(`tr[data-id="${CSS.escape(current)}"]`, region)?.setAttribute("aria-current", "true");
  for (const name of fresh) $(`tr[data-id="${CSS.escape(name)}"]`, region)?.classList.add("fresh");
  if (focused) $(focused, region)?.focus({ preventScroll: true });
  ago();
  count();
  document.dispatchEvent(new CustomEvent("renewed"));
}

// Names an element by what it is, so that the same one is found after the part was loaded again.
function path(element, region) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const row = element.closest("[data-id]");
  const tag = element.localName;
  if (element.name && !row?.matches("tr")) return `${tag}[name="${CSS.escape(element.name)}"]`;
  if (row && row !== region) return `[data-id="${CSS.escape(row.dataset.id)}"] ${tag}`;
  return element.getAttribute("href") ? `${tag}[href="${CSS.escape(element.getAttribute("href"))}"]` : null;
}

function ago() {
  for (const place of $$("time[data-ago]")) {
    const minutes = Math.round((Date.now() - Date.parse(place.dateTime)) / 60000);
    if (Number.isNaN(minutes)) continue;
    place.title = place.dateTime;
    place.textContent = minutes < 1 ? "just now" : minutes < 120 ? `${minutes} min ago` : minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
  }
}

function count() {
  const bulk = $("#bulk");
  if (!bulk) return;
  const number = $$('input[name="ids"]:checked').length;
  bulk.hidden = !number;
  $("[data-number]", bulk).textContent = number;
}

// What is to be muted: the rows that are chosen, the current one, or the finding of the page.
function targets() {
  const chosen = $$('input[name="ids"]:checked').map((box) => box.value);
  if (chosen.length) return chosen;
  const one = $("#one[data-id]") ?? $("tr[aria-current][data-id]");
  return one ? [one.dataset.id] : [];
}

function openMute() {
  const dialog = $("#mute");
  const ids = targets();
  if (!dialog || !ids.length || !document.body.hasAttribute("data-write")) return;
  $("[data-what]", dialog).textContent = ids.length === 1 ? "this finding" : `${ids.length} findings`;
  $(".wrong", dialog).hidden = true;
  dialog.dataset.ids = JSON.stringify(ids);
  dialog.showModal();
  $('[name="reason"]', dialog).focus();
}

async function mute(event) {
  const form = event.target;
  const dialog = form.closest("dialog");
  if (event.submitter?.value !== "mute") return;
  event.preventDefault();
  const until = new Date(Date.now() + Number(form.elements.span.value) * 86400000).toISOString();
  const ids = JSON.parse(dialog.dataset.ids);
  try {
    await change("POST", "/api/v1/mutes", { ids, reason: form.elements.reason.value, until, until_recovered: form.elements.recovered.checked });
  } catch (error) {
    const wrong = $(".wrong", dialog);
    wrong.textContent = error.message;
    wrong.hidden = false;
    return;
  }
  dialog.close();
  form.reset();
  for (const box of $$('input[name="ids"]:checked')) box.checked = false;
  say(ids.length === 1 ? "Muted." : `${ids.length} findings are muted.`);
  renew();
}

async function does(button) {
  const id = $("#one[data-id]")?.dataset.id;
  try {
    if (button.dataset.unmute) await change("DELETE", `/api/v1/mutes/${button.dataset.unmute}`);
    else await change("POST", `/api/v1/findings/${id}/acknowledge`, {});
    say(button.dataset.unmute ? "The mute has ended." : "Noted.");
  } catch (error) {
    say(error.message);
  }
  renew();
}

async function copy(button) {
  const pre = button.parentElement.querySelector("pre");
  const text = pre.textContent + (pre.classList.contains("diff") ? "\n" : ""); // a diff ends its last line
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    const range = document.createRange();
    range.selectNodeContents(pre);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    say("Press Ctrl+C: the text is selected.");
  }
}

async function load(button) {
  const place = $(button.dataset.into);
  button.disabled = true;
  place.setAttribute("aria-busy", "true");
  place.textContent = "Reading …";
  const answer = await fetch(button.dataset.load, { headers: { Accept: "text/html" } }).catch(() => null);
  place.removeAttribute("aria-busy");
  button.disabled = false;
  if (!answer?.ok) { place.textContent = "It could not be read."; return; }
  place.replaceChildren(document.createRange().createContextualFragment(await answer.text()));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches("[data-mute]")) openMute();
  else if (button.matches("[data-unmute], [data-acknowledge]")) does(button);
  else if (button.matches("[data-copy]")) copy(button);
  else if (button.matches("[data-load]")) load(button);
  else if (button.matches("[data-none]")) { for (const box of $$('input[name="ids"]:checked')) box.checked = false; count(); }
});
async function assign(event) {
  event.preventDefault();
  const to = event.target.elements.to.value.trim();
  try {
    await change("POST", `/api/v1/findings/${$("#one[data-id]").dataset.id}/assign`, { to });
    say(to ? `It is ${to}'s now.` : "It is nobody's now.");
  } catch (error) {
    say(error.message);
  }
  renew();
}

document.addEventListener("submit", (event) => {
  if (event.target.id === "mute-form") mute(event);
  else if (event.target.matches("[data-assign]")) assign(event);
});
// What says nothing does not belong into an address that people send each other.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) if (value === "" || (name === "order" && value === "worst")) event.formData.delete(name);
});
document.addEventListener("change", (event) => {
  if (event.target.name === "ids") count();
  else if (event.target.closest("#find") && event.target.matches("select, [type=checkbox]")) event.target.form.requestSubmit();
});

// Keys
let first = "";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open], [contenteditable]")) return;
  const key = event.key;
  const places = { b: "/", f: "/findings", a: "/alarms", q: "/query", c: "/coverage" };
  if (first === "g" && places[key]) { location.href = places[key]; return; }
  first = key;
  if (key === "?") $("#keys").showModal();
  else if (key === "/") $('#find [type="search"], #query')?.focus();
  else if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
  else if (key === "x") { const box = $('tr[aria-current] input[name="ids"]'); if (box) { box.checked = !box.checked; count(); } }
  else if (key === "m") openMute();
  else if (key === "Enter" && event.target === document.body) $("tr[aria-current] a")?.click();
  else return;
  event.preventDefault();
});

function step(by) {
  const rows = $$("tr[data-row]");
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  rows[at]?.removeAttribute("aria-current");
  next.setAttribute("aria-current", "true");
  next.scrollIntoView({ block: "nearest" });
  say(next.querySelector("th")?.innerText.split("\n")[0] ?? "");
}

// Colours: those of the system, until somebody chooses
const theme = $("#theme");
if (theme) {
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.hidden = false;
  label();
  theme.addEventListener("click", () => {
    const chosen = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    document.cookie = `rolewatch_theme=${chosen}; path=/; max-age=31536000; samesite=strict`;
    label();
  });
}

ago();
setInterval(ago, 30000);
document.addEventListener("visibilitychange", () => { if (!document.hidden && renew.due) renew(); });
if ($("[data-live]")) follow({
  changed: (what) => { renew(what.findings); if (what.findings.length) say(what.findings.length === 1 ? "A finding has changed." : `${what.findings.length}${what.more ? " and more" : ""} findings have changed.`); },
  lost: (why) => { const place = $("#lost"); place.hidden = !why; place.textContent = why ? `${why} What is shown may be old.` : ""; },
});
