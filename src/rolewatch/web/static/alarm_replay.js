// Replays an alarm over the lake: begins it, says how far it is, shows what it found. It ends with the page.
import { ask, say } from "./app.js";

const SOON = 150; // milliseconds until it is looked at first …
const LATER = 1000; // … and at most, later
const section = document.getElementById("replay");
const $ = (where) => section.querySelector(where);
let run = null;

function wrong(problem) {
  const box = $("#replay-wrong");
  box.hidden = !problem;
  box.textContent = problem ? [problem.detail, problem.remedy].filter(Boolean).map((each) => each.replace(/[^.?]$/, "$&.")).join(" ") : "";
}

function waiting(found) {
  const box = $("#replay-progress");
  box.hidden = !found;
  $("[data-cancel]").hidden = !found;
  section.setAttribute("aria-busy", String(Boolean(found)));
  if (!found) return;
  const bar = box.querySelector("progress");
  const { doing, share } = found.progress;
  if (share === null) bar.removeAttribute("value"); else bar.value = share;
  box.querySelector("span").textContent = `${doing}, ${share === null ? "" : `${Math.round(share * 100)} %, `}${found.seconds.toFixed(1)} s`;
}

function stop() {
  if (run?.id && !run.over) fetch(`/api/v1/alarms/replays/${run.id}`, { method: "DELETE", keepalive: true }).catch(() => null);
  if (run) run.over = true;
  run = null;
}

async function begin(form) {
  stop();
  const own = run = { id: null, over: false };
  wrong(null);
  $("#replay-result").replaceChildren();
  waiting({ progress: { doing: "Starting", share: null }, seconds: 0 });
  const { since, until } = form.elements;
  const { ok, found } = await ask("POST", "/api/v1/alarms/replays", { name: form.dataset.name, since: since.value, until: until.value, ...JSON.parse(form.dataset.settings) });
  if (own !== run) { if (found.id) ask("DELETE", `/api/v1/alarms/replays/${found.id}`); return; }
  if (!ok) { own.over = true; waiting(null); wrong(found); return; }
  own.id = found.id;
  await follow(own);
}

async function follow(own) {
  for (let pause = SOON; own === run; pause = Math.min(pause * 1.5, LATER)) {
    const { ok, found } = await ask("GET", `/api/v1/alarms/replays/${own.id}`);
    if (own !== run) return;
    if (ok && found.status === "running") {
      waiting(found);
      await new Promise((done) => { setTimeout(done, pause); });
      continue;
    }
    own.over = true;
    waiting(null);
    if (found.status === "done") await show(own);
    else if (found.status !== "cancelled") wrong(found.problem ?? found);
    return;
  }
}

async function show(own) {
  const answer = await fetch(`/alarms/replays/${own.id}`).catch(() => null);
  if (own !== run) return;
  if (!answer?.ok) { wrong({ detail: "What it found is kept no longer.", remedy: "Replay it again." }); return; }
  $("#replay-result").replaceChildren(document.createRange().createContextualFragment(await answer.text()));
  say("The replay has ended.");
}

function listen() {
  const form = $("#replay-form");
  form?.addEventListener("submit", (event) => { event.preventDefault(); begin(form); });
  $("[data-cancel]")?.addEventListener("click", () => { stop(); waiting(null); });
}

listen();
addEventListener("pagehide", stop);
// The page is loaded again in part when the alarm changes: what is asked and shown here stays.
document.addEventListener("renewed", () => {
  const fresh = document.getElementById("replay");
  if (!fresh || fresh === section) return;
  const focused = fresh.contains(document.activeElement) ? document.activeElement.name : "";
  fresh.replaceWith(section);
  if (focused) $(`[name="${focused}"]`)?.focus({ preventScroll: true });
});
