"use strict";
// The page is complete without this: it adds the filter, the switch between light and dark, and copy buttons.
(() => {
  const root = document.documentElement;
  const form = document.getElementById("filter");

  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const sayTheme = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  // The choice lasts as long as the page: storage may be forbidden to a file.
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    sayTheme();
  });
  system.addEventListener("change", sayTheme);
  sayTheme();
  theme.hidden = false;

  const openTarget = () => {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return; // not a name of ours
    }
    if (target && target.matches("details.finding")) {
      if (target.hidden && form) form.reset();
      target.open = true;
      target.scrollIntoView({ block: "nearest" });
    }
  };

  const copy = async (button, text) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      // Without a clipboard the IDs are selected, so that the usual keys copy them.
      const range = document.createRange();
      range.selectNodeContents(button.previousElementSibling);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
    }
    button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
  };
  // `toggle` does not bubble; buttons are made when a finding is opened first, not five thousand at the start.
  document.addEventListener("toggle", (event) => {
    const events = event.target.open && event.target.querySelector(".events");
    if (!events || events.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy the event IDs";
    button.addEventListener("click", () => copy(button, events.querySelector("pre").textContent));
    events.append(button);
  }, true);

  addEventListener("hashchange", openTarget);
  if (form) filter();
  openTarget();

  function filter() {
    const fields = ["service", "account", "status", "severity"];
    const rows = [...document.querySelectorAll("details.finding")];
    const groups = [...document.querySelectorAll(".group, .by-status")].map((node) => ({
      node,
      rows: [...node.querySelectorAll("details.finding")],
      number: node.matches(".group") ? node.querySelector("h4 .number") : null,
    }));
    for (const group of groups) group.whole = group.number?.textContent;
    const links = [...document.querySelectorAll("a[data-filter]")];
    const nothing = document.querySelector(".no-match");
    const reset = form.querySelector("button[type=reset]");
    const noun = rows.length === 1 ? "finding" : "findings";
    const figure = new Intl.NumberFormat("en-US");
    const texts = new Map(); // lower-case text of a row, made when it is first searched
    const textOf = (row) => {
      let text = texts.get(row);
      if (text === undefined) {
        text = row.textContent.toLowerCase();
        texts.set(row, text);
      }
      return text;
    };

    const apply = () => {
      const wanted = fields.map((name) => [name, form.elements[name].value]).filter(([, value]) => value);
      const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const fits = wanted.every(([name, value]) => row.dataset[name] === value)
          && (!words.length || words.every((word) => textOf(row).includes(word)));
        if (row.hidden === fits) row.hidden = !fits;
        shown += fits;
      }
      for (const group of groups) {
        const here = group.rows.reduce((sum, row) => sum + !row.hidden, 0);
        group.node.hidden = !here;
        if (group.number) {
          group.number.textContent = here === group.rows.length ? group.whole : `${here} of ${group.rows.length} findings`;
        }
      }
      const all = shown === rows.length;
      form.elements.count.textContent =
        all ? `${figure.format(shown)} ${noun}` : `${figure.format(shown)} of ${figure.format(rows.length)} ${noun}`;
      nothing.hidden = shown > 0;
      reset.disabled = !wanted.length && !words.length;
      for (const link of links) {
        if (isChosen(link)) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    const isChosen = (link) =>
      !form.elements.text.value && fields.every((name) => form.elements[name].value === (link.dataset[name] ?? ""));

    let waiting = 0;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 60);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 0); // the fields are empty only after this event
    });
    for (const [name, open] of [["data-open", true], ["data-close", false]]) {
      form.querySelector(`[${name}]`).addEventListener("click", () => {
        for (const row of rows) if (!row.hidden) row.open = open;
      });
    }
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-filter]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const off = isChosen(link);
      form.elements.text.value = "";
      for (const name of fields) form.elements[name].value = off ? "" : link.dataset[name] ?? "";
      apply();
      if (!off) document.getElementById("findings").scrollIntoView();
    });
    form.hidden = false;
    apply(); // a browser may have kept the fields over a reload
  }
})();
