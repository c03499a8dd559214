// What a query gives, as rows that can be copied and opened, as bars over time, and as a chart.
import { say } from "./app.js";
import { draw } from "./draw.js";

const $ = (where, from = document) => from.querySelector(where);
const SHOWN = 160; // characters of a value in a cell
const DARK = ["#56b4e9", "#e69f00", "#3fc79a", "#e39bc4", "#f0834a", "#8fb8ff", "#b5b5b5", "#c9a960", "#b493e6", "#d8d04a"];
const SVG = "http://www.w3.org/2000/svg";

export const number = (value) => value.toLocaleString("en");
export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
export const iso = (milliseconds) => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
const minute = (milliseconds) => iso(milliseconds).slice(0, 16).replace("T", " ");

export function size(bytes) {
  const unit = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / unit[1]).toFixed(1)} ${unit[0]}`;
}

export function length(milliseconds) {
  for (const [unit, name] of [[604800000, "week"], [86400000, "day"], [3600000, "hour"], [60000, "minute"], [1000, "second"]]) {
    if (milliseconds % unit === 0) return plural(milliseconds / unit, name);
  }
  return `${milliseconds} ms`;
}

function made(name, text = "", properties = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  return Object.assign(element, properties);
}

export class Table {
  #head = $("#rows thead tr"); #body = $("#rows tbody"); #columns = []; #rows = [];

  constructor() {
    this.#body.addEventListener("click", (event) => this.#click(event));
  }

  get count() { return this.#rows.length; }

  begin(columns) {
    this.#columns = columns;
    this.#rows = [];
    this.#body.replaceChildren();
    this.#head.replaceChildren(made("th", "#", { scope: "col", className: "place" }), ...columns.map((column) => made("th", column.name, { scope: "col", className: column.type === "number" ? "figure" : "" })));
  }

  add(rows) {
    const made_ = document.createDocumentFragment();
    for (const row of rows) {
      this.#rows.push(row);
      const line = document.createElement("tr");
      line.dataset.row = "";
      const place = made("th", "", { scope: "row", className: "place" });
      place.append(made("a", number(this.#rows.length), { href: `#row-${this.#rows.length}` }));
      line.append(place, ...row.map((value, at) => this.#cell(value, this.#columns[at])));
      made_.append(line);
    }
    this.#body.append(made_);
  }

  #cell(value, column) {
    const cell = made("td", value === null ? "–" : value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
    cell.className = value === null ? "missing" : column.type === "number" ? "figure" : column.type === "time" ? "time" : value.length > 60 ? "long" : "";
    return cell;
  }

  #click(event) {
    const place = [...this.#body.children].indexOf(event.target.closest("tr"));
    if (place < 0) return;
    if (event.target.closest("a")) { event.preventDefault(); this.#open(place); return; }
    const cell = event.target.closest("td");
    if (!cell || !getSelection().isCollapsed) return;
    const value = this.#rows[place][[...cell.parentElement.children].indexOf(cell) - 1];
    if (value !== null) copy(value);
  }

  // Shows a row whole, each value with a button that copies it.
  #open(place) {
    const dialog = $("#row");
    $("h2", dialog).textContent = `Row ${number(place + 1)}`;
    $("dl", dialog).replaceChildren(...this.#columns.flatMap((column, at) => {
      const value = this.#rows[place][at];
      const text = made("dd");
      if (value === null) text.textContent = "missing";
      else {
        const box = made("div", "", { className: "copied" });
        const pre = made("pre", pretty(value), { className: "change", tabIndex: 0 });
        pre.setAttribute("aria-label", column.name);
        const button = made("button", "Copy", { type: "button" });
        button.dataset.copy = "";
        box.append(pre, button);
        text.append(box);
      }
      return [made("dt", column.name), text];
    }));
    dialog.showModal();
  }
}

function pretty(value) {
  if (!/^[[{]/.test(value)) return value;
  try { return JSON.stringify(JSON.parse(value), null, 2); } catch { return value; }
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); say(`Copied: ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`); } catch { say("It could not be copied: this page may not write to the clipboard."); }
}

// Draws matches over time; `narrow` is called with the beginning and end of a bar that is chosen.
export function histogram(found, matched, narrow) {
  const figure = $("#histogram");
  figure.hidden = !found || !found.counts.some(Boolean);
  if (figure.hidden) return;
  const { start, step, counts } = found;
  const most = Math.max(...counts);
  const drawing = document.createElementNS(SVG, "svg");
  const set = (element, attributes) => { for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value); return element; };
  const busiest = counts.indexOf(most);
  const words = `${plural(matched, "matching record")} from ${minute(start)} to ${minute(start + step * counts.length)} UTC, ${length(step)} a bar; most, ${number(most)}, from ${minute(start + step * busiest)}.`;
  set(drawing, { viewBox: `0 0 ${counts.length} 100`, preserveAspectRatio: "none", role: "img", "aria-label": words });
  counts.forEach((count, place) => {
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${plural(count, "record")}, ${minute(start + step * place)} UTC, ${length(step)}`;
    const high = count ? Math.max(2, (count / most) * 100) : 0;
    const bar = set(document.createElementNS(SVG, "rect"), { x: place + 0.08, y: 100 - high, width: 0.84, height: high, class: "bar" });
    const all = set(document.createElementNS(SVG, "rect"), { x: place, y: 0, width: 1, height: 100, class: "reach" });
    all.append(title);
    all.addEventListener("click", () => { if (step > 1000) narrow(start + step * place, start + step * (place + 1)); });
    drawing.append(bar, all);
  });
  $("[data-bars]", figure).replaceChildren(drawing);
  const caption = $("figcaption", figure);
  caption.replaceChildren(made("span", `${minute(start)}`), made("span", `at most ${number(most)} in ${length(step)}; a click on a bar looks at its time only`), made("span", `${minute(start + step * counts.length)} UTC`));
  $("tbody", figure).replaceChildren(...counts.flatMap((count, place) => {
    if (!count) return [];
    const line = document.createElement("tr");
    const button = made("button", "Only this", { type: "button", disabled: step <= 1000 });
    button.setAttribute("aria-label", `Look at ${minute(start + step * place)} only`);
    button.addEventListener("click", () => narrow(start + step * place, start + step * (place + 1)));
    const last = document.createElement("td");
    last.append(button);
    line.append(made("th", minute(start + step * place), { scope: "row" }), made("td", number(count), { className: "figure" }), last);
    return [line];
  }));
}

// A chart as the server describes it, for this page: as wide as there is room, in its colours.
export class Picture {
  #element = $("#chart"); #chart = null;

  async show(spec) {
    const wanted = ({ width, colours }) => fitted(structuredClone(spec), width, colours);
    if (this.#chart) await this.#chart.update(wanted);
    else this.#chart = await draw(this.#element, wanted);
  }

  end() {
    this.#chart?.end();
    this.#chart = null;
    this.#element.replaceChildren();
  }
}

function fitted(spec, width, colours) {
  const narrow = width < 600;
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  delete spec.$schema;
  spec.config = { legend: { orient: "bottom", columns: narrow ? 1 : 2, labelLimit: narrow ? width - 40 : width / 2 - 60, symbolType: "square" } };
  spec.title = { ...spec.title, limit: width, anchor: "start", subtitleColor: colours.soft, offset: 10 };
  for (const view of spec.vconcat) {
    const bars = view.layer?.[0]?.mark?.type === "bar";
    const labels = bars ? Math.min(260, width * 0.4) : 0;
    view.width = Math.max(80, width - labels - 70);
    for (const layer of view.layer ?? []) {
      const encoding = layer.encoding ?? {};
      if (encoding.description) encoding.tooltip = encoding.description;
      delete encoding.x?.scale?.domain; // what is drawn says it, and layers would say it twice
      if (bars && encoding.y) encoding.y.axis = { ...encoding.y.axis, labelLimit: labels };
      if (dark && encoding.color?.scale?.range) encoding.color.scale.range = DARK.slice(0, encoding.color.scale.range.length);
      else if (dark && encoding.color?.value) encoding.color.value = DARK[0];
      if (bars && layer.mark.type === "bar" && dark) layer.mark.color = DARK[0];
    }
  }
  return spec;
}
