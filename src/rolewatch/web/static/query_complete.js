// Completion in the text of a query: commands behind a |, else functions, fields, and the names that the query gives itself.
const WORDS = ["and", "or", "not", "like", "in", "by", "as", "asc", "desc"];
const MOST = 40;
const WORD = /[@\w.]+$/;

export class Completion {
  #area; #list; #say; #known = { commands: [], functions: [], fields: [] }; #offers = []; #at = -1; #word = "";

  constructor(area, list, say) {
    this.#area = area;
    this.#list = list;
    this.#say = say;
    area.addEventListener("input", (event) => { if (!event.inputType?.startsWith("delete") || this.open) this.offer(); });
    area.addEventListener("keydown", (event) => this.#key(event));
    area.addEventListener("blur", () => this.close());
    area.addEventListener("scroll", () => this.close());
    area.addEventListener("click", () => this.close());
    list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the text keeps the focus
      const option = event.target.closest("[role=option]");
      if (option) { this.#at = Number(option.dataset.at); this.#accept(); }
    });
  }

  set known(vocabulary) { this.#known = vocabulary; }
  get open() { return !this.#list.hidden; }

  offer(asked = false) {
    const area = this.#area;
    const before = area.value.slice(0, area.selectionStart);
    this.#word = before.match(WORD)?.[0] ?? "";
    if (area.selectionStart !== area.selectionEnd || within(before) || (!asked && this.#word.length < 2)) { this.close(); return; }
    this.#offers = this.#found(before.slice(0, before.length - this.#word.length));
    if (!this.#offers.length || (this.#offers.length === 1 && this.#offers[0].name === this.#word)) { this.close(); return; }
    this.#at = 0;
    this.#show();
  }

  close() {
    if (this.#list.hidden) return;
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#area.removeAttribute("aria-activedescendant");
  }

  #found(before) {
    const { commands, functions, fields } = this.#known;
    const first = /(^|\|)\s*$/.test(before.replace(/#.*$/gm, ""));
    const offers = first
      ? commands.map((each) => ({ name: each.name, put: `${each.name} `, kind: "command", about: each.about }))
      : [
        ...given(this.#area.value, this.#word).map((name) => ({ name, put: name, kind: "name", about: "given in this query" })),
        ...fields.map((each) => ({ name: each.name, put: each.name, kind: "field", about: each.about || (each.column ? "fast: has a column" : "") })),
        ...functions.map((each) => ({ name: each.name, put: `${each.name}(`, kind: "function", about: takes(each) })),
        ...WORDS.map((name) => ({ name, put: `${name} `, kind: "word", about: "" })),
      ];
    const word = this.#word.toLowerCase();
    const rank = (offer) => {
      const name = offer.name.toLowerCase();
      if (name.startsWith(word)) return 0;
      if (name.split(".").some((step) => step.startsWith(word))) return 1;
      return word.length > 2 && name.includes(word) ? 2 : 3;
    };
    return offers.map((offer, place) => ({ offer, place, rank: rank(offer) })).filter((each) => each.rank < 3)
      .sort((one, other) => one.rank - other.rank || one.place - other.place).slice(0, MOST).map((each) => each.offer);
  }

  #show() {
    const list = this.#list;
    list.replaceChildren(...this.#offers.map((offer, place) => {
      const option = document.createElement("li");
      option.id = `hint-${place}`;
      option.setAttribute("role", "option");
      option.dataset.at = place;
      for (const [kind, text] of [["name", offer.kind === "function" ? `${offer.name}( )` : offer.name], ["kind", offer.kind], ["about", offer.about]]) {
        const part = document.createElement("span");
        part.className = `hint-${kind}`;
        part.textContent = text;
        option.append(part, " ");
      }
      return option;
    }));
    list.hidden = false;
    this.#place();
    this.#mark();
    this.#say(`${this.#offers.length} completion${this.#offers.length === 1 ? "" : "s"}`);
  }

  // Puts the list below the line of the caret, which a copy of the text tells.
  #place() {
    const area = this.#area;
    const mirror = document.createElement("div");
    mirror.className = "mirror";
    mirror.textContent = area.value.slice(0, area.selectionStart - this.#word.length);
    const caret = document.createElement("span");
    caret.textContent = "\u200b";
    mirror.append(caret);
    mirror.style.width = `${area.clientWidth}px`;
    area.after(mirror);
    const line = parseFloat(getComputedStyle(area).lineHeight);
    const top = area.offsetTop + caret.offsetTop - area.scrollTop + line + 4;
    const left = area.offsetLeft + caret.offsetLeft;
    mirror.remove();
    this.#list.style.top = `${Math.min(top, area.offsetTop + area.offsetHeight)}px`;
    this.#list.style.left = `${Math.max(0, Math.min(left, area.offsetWidth - this.#list.offsetWidth))}px`;
  }

  #mark() {
    for (const option of this.#list.children) option.setAttribute("aria-selected", String(Number(option.dataset.at) === this.#at));
    const current = this.#list.children[this.#at];
    current?.scrollIntoView({ block: "nearest" });
    if (current) this.#area.setAttribute("aria-activedescendant", current.id);
  }

  #key(event) {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); this.offer(true); return; }
    if (!this.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const number = this.#offers.length;
    if (event.key === "ArrowDown") this.#at = (this.#at + 1) % number;
    else if (event.key === "ArrowUp") this.#at = (this.#at - 1 + number) % number;
    else if (event.key === "Escape") this.close();
    else if ((event.key === "Enter" && !event.shiftKey) || (event.key === "Tab" && !event.shiftKey)) this.#accept();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (this.open) this.#mark();
  }

  #accept() {
    const offer = this.#offers[this.#at];
    const area = this.#area;
    this.close();
    if (!offer) return;
    area.setSelectionRange(area.selectionStart - this.#word.length, area.selectionStart);
    // It can be undone, which a value that is set cannot.
    if (!document.execCommand("insertText", false, offer.put)) area.setRangeText(offer.put, area.selectionStart, area.selectionEnd, "end");
    this.close();
  }
}

function takes({ least, most, aggregate }) {
  const number = most > 20 ? `${least} or more values` : least === most ? `${least} value${least === 1 ? "" : "s"}` : `${least} to ${most} values`;
  return aggregate ? `of several rows, ${number}` : number;
}

// Names behind `as`, and those that stats gives without one.
function given(text, word) {
  const names = new Set();
  for (const [, list] of text.matchAll(/\bas\s+([\w@.]+(?:\s*,\s*[\w@.]+(?=\s*(?:,|\||$)))*)/gi)) for (const name of list.split(/\s*,\s*/)) names.add(name);
  names.delete(word);
  return [...names];
}

// Whether a place is within a text, a name in backticks or a comment: nothing is to be completed there.
function within(before) {
  let open = "";
  for (let at = 0; at < before.length; at += 1) {
    const sign = before[at];
    if (open === "#") { if (sign === "\n") open = ""; }
    else if (open) { if (sign === "\\") at += 1; else if (sign === open) open = ""; }
    else if (sign === "'" || sign === '"' || sign === "`" || sign === "#") open = sign;
  }
  return open !== "";
}
