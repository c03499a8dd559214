// A living part that also changes with the time: it is loaded again every `data-every` seconds, while somebody looks at it.
// What was opened in it stays open, and what was scrolled stays where it was.
import { renew } from "./app.js";

const region = document.querySelector("[data-live][data-every]");
const opened = new Map();
const scrolled = new Map();

region?.addEventListener("toggle", (event) => { if (event.target.id) opened.set(event.target.id, event.target.open); }, true);
region?.addEventListener("scroll", (event) => { if (event.target.id) scrolled.set(event.target.id, event.target.scrollLeft); }, true);
document.addEventListener("renewed", () => {
  for (const [id, open] of opened) { const place = document.getElementById(id); if (place) place.open = open; }
  for (const [id, left] of scrolled) { const place = document.getElementById(id); if (place) place.scrollLeft = left; }
});
if (region) setInterval(() => { if (!document.hidden) renew(); }, Number(region.dataset.every) * 1000);
