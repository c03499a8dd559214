// Draws charts with Vega-Lite: loads it when the first chart is wanted, in the colours of the page, as wide as there is room.
//
//   const chart = await draw(element, spec);   // a specification, or a function of { width, colours } that gives one
//   await chart.update(spec);                  // draws another one in its place
//   chart.end();                               // stops following size and colours
//
// `element` needs a name (aria-label); a table or sentence beside it has to say the same, as a canvas says nothing by itself.
// Give it its height by style (min-height), so that nothing moves when the chart comes. Nothing is ever animated.
// `element.dataset.drawn` counts how often it was drawn.

const version = new URL(document.querySelector('script[type="module"][src*="v="]')?.src ?? location.href).search;
const NAMES = ["page", "panel", "raised", "line", "ink", "soft", "link", "critical", "high", "medium", "low", "silent", "good", "good-wash", "denied", "allowed"];
let libraries = null;

export function load() {
  libraries ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = `/static/charts.js${version}`;
    script.addEventListener("load", () => done(window.vegaEmbed));
    script.addEventListener("error", () => { libraries = null; script.remove(); failed(new Error("The library of charts could not be loaded.")); });
    document.head.append(script);
  });
  return libraries;
}

// The page's colours as they are now, by the names of its style, for an element; `more` are names beside the usual ones.
export function colours(element, more = []) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const found = {};
  for (const name of [...NAMES, ...more]) {
    probe.style.color = "";
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

export async function draw(element, wanted, { more = [] } = {}) {
  const chart = new Chart(element, wanted, more);
  await chart.redraw();
  chart.follow();
  return chart;
}

class Chart {
  #element; #wanted; #more; #drawn = null; #width = 0; #busy = null; #again = false; #ends = [];

  constructor(element, wanted, more) {
    this.#element = element;
    this.#wanted = wanted;
    this.#more = more;
  }

  get view() { return this.#drawn?.view ?? null; }

  update(wanted) {
    this.#wanted = wanted;
    return this.redraw();
  }

  // One at a time: what is wanted meanwhile is drawn after it.
  redraw() {
    if (this.#busy) { this.#again = true; return this.#busy; }
    this.#busy = (async () => {
      do { this.#again = false; await this.#draw(); } while (this.#again);
    })().finally(() => { this.#busy = null; });
    return this.#busy;
  }

  follow() {
    const soon = later(() => this.redraw());
    const size = new ResizeObserver(() => { if (this.#element.isConnected && this.#element.clientWidth !== this.#width) soon(); });
    size.observe(this.#element);
    const theme = new MutationObserver(soon);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", soon);
    this.#ends.push(() => size.disconnect(), () => theme.disconnect(), () => media.removeEventListener("change", soon));
  }

  end() {
    for (const end of this.#ends.splice(0)) end();
    this.#drawn?.finalize();
    this.#drawn = null;
    hideTip();
  }

  async #draw() {
    const element = this.#element;
    const width = element.clientWidth;
    if (!width) return; // it is not shown: drawn when it has a size
    element.setAttribute("aria-busy", "true");
    const place = document.createElement("div");
    try {
      const embed = await load();
      const palette = colours(element, this.#more);
      const spec = typeof this.#wanted === "function" ? this.#wanted({ width, colours: palette }) : structuredClone(this.#wanted);
      const drawn = await embed(place, sized(spec, width), options(palette));
      this.#drawn?.finalize();
      this.#drawn = drawn;
      this.#width = width;
      element.replaceChildren(place);
      element.dataset.drawn = Number(element.dataset.drawn ?? 0) + 1;
    } catch (error) {
      this.#drawn?.finalize();
      this.#drawn = null;
      const said = document.createElement("p");
      said.className = "hint";
      said.textContent = `The chart could not be drawn; its numbers are beside it. ${error.message}`;
      element.replaceChildren(said);
    }
    element.removeAttribute("aria-busy");
  }
}

// One view takes all the room there is; several of them say themselves how wide they are.
function sized(spec, width) {
  if (spec.vconcat || spec.hconcat || spec.concat || spec.facet || spec.width !== undefined) return spec;
  return { ...spec, width, autosize: { type: "fit-x", contains: "padding" } };
}

function options(palette) {
  const quiet = { labelColor: palette.soft, titleColor: palette.soft, titleFontWeight: 500, tickColor: palette.line, domainColor: palette.soft, gridColor: palette.line, labelFontSize: 12, titleFontSize: 12 };
  const font = getComputedStyle(document.body).fontFamily;
  const refused = () => Promise.reject(new Error("A chart loads nothing."));
  return {
    ast: true, actions: false, logLevel: 1, renderer: "canvas", defaultStyle: false, tooltip: tip, loader: { load: refused, sanitize: refused },
    config: {
      background: null, font, padding: { left: 0, right: 4, top: 4, bottom: 4 }, view: { stroke: null },
      axis: { ...quiet, gridDash: [2, 3], labelOverlap: true }, axisX: { labelBound: true },
      legend: { labelColor: palette.ink, titleColor: palette.soft, labelFontSize: 12, symbolStrokeWidth: 2 },
      title: { color: palette.ink, fontSize: 14, anchor: "start" }, text: { color: palette.ink },
      range: { category: [palette.link, palette.denied, palette.allowed, palette.silent, palette.medium, palette.soft] },
      bar: { color: palette.link }, line: { color: palette.link, strokeWidth: 1.5 }, area: { color: palette.link }, point: { color: palette.link },
    },
  };
}

// What is under the pointer, as text: no markup of whoever wrote it.
let shown = null;
function tip(_, event, __, value) {
  if (value === null || value === undefined || value === "") { hideTip(); return; }
  if (!shown) {
    shown = document.createElement("div");
    Object.assign(shown.style, {
      position: "fixed", zIndex: "20", pointerEvents: "none", maxWidth: "min(24rem, calc(100vw - 1rem))", padding: "0.375rem 0.625rem", borderRadius: "6px",
      background: "var(--ink)", color: "var(--page)", fontSize: "0.8125rem", whiteSpace: "pre-line", overflowWrap: "anywhere",
    });
    shown.setAttribute("aria-hidden", "true"); // the table says it
    document.body.append(shown);
  }
  shown.textContent = typeof value === "object" ? Object.entries(value).map(([name, each]) => `${name}: ${each}`).join("\n") : String(value);
  const { width, height } = shown.getBoundingClientRect();
  shown.style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - width - 4))}px`;
  shown.style.top = `${event.clientY + 14 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 14}px`;
}
function hideTip() {
  shown?.remove();
  shown = null;
}

function later(work) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(work, 120); };
}
