// What changes while a page is open. A stream that breaks is opened again; then all is loaded once more.
const AGAIN = 5000; // milliseconds until a stream that was refused is opened again

export function follow({ changed, lost }) {
  let stream = null;
  let broken = false;
  let due = null;
  const soon = new Set();
  let more = false;
  const open = () => {
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("open", () => {
      if (broken) { lost(""); changed({ findings: [], more: false, alarms: true }); }
      broken = false;
    });
    stream.addEventListener("error", async () => {
      broken = true;
      lost("The server does not answer.");
      if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      const answer = await fetch("/api/v1/audit?limit=1").catch(() => null);
      if (answer?.status === 401) lost("This login has ended. Load the page again to log in.");
      else setTimeout(open, AGAIN);
    });
    stream.addEventListener("state", (event) => { const what = JSON.parse(event.data); lost(what.ok ? "" : what.detail); });
    stream.addEventListener("changed", heard);
  };
  const heard = (event) => {
    const what = JSON.parse(event.data);
    for (const name of what.findings) soon.add(name);
    more ||= what.more;
    due ??= setTimeout(() => {
      due = null;
      changed({ findings: [...soon], more, alarms: what.alarms });
      soon.clear();
      more = false;
    }, 300);
  };
  open();
  addEventListener("pagehide", () => stream.close());
}
