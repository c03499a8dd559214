// What changes while a page is open. A stream that breaks is opened again by the browser; then all is loaded once more.
export function follow({ changed, lost }) {
  const stream = new EventSource("/api/v1/events");
  let broken = false;
  let due = null;
  const soon = new Set();
  let more = false;
  stream.addEventListener("open", () => {
    if (broken) { lost(""); changed({ findings: [], more: false, alarms: true }); }
    broken = false;
  });
  stream.addEventListener("error", () => { broken = true; lost("The server does not answer."); });
  stream.addEventListener("state", (event) => { const what = JSON.parse(event.data); lost(what.ok ? "" : what.detail); });
  stream.addEventListener("changed", (event) => {
    const what = JSON.parse(event.data);
    for (const name of what.findings) soon.add(name);
    more ||= what.more;
    due ??= setTimeout(() => {
      due = null;
      changed({ findings: [...soon], more, alarms: what.alarms });
      soon.clear();
      more = false;
    }, 300);
  });
  addEventListener("pagehide", () => stream.close());
}
