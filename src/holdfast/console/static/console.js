// Times in the reader's own zone, whether an order changed while somebody fills in a form, keys, scanners.
"use strict";

const language = document.documentElement.lang;
const locale = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const times = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]:not([data-local])")) {
    time.dataset.local = "";
    time.title = time.textContent;
    time.textContent = times.format(new Date(time.dateTime));
  }
}

function tellChanges() {
  const facts = document.querySelector(".facts");
  const actions = document.querySelector(".actions");
  const notice = document.getElementById("changed");
  if (facts && actions && notice) {
    notice.hidden = facts.dataset.version === actions.dataset.version;
  }
}

function tell() {
  tellTimes();
  tellChanges();
}

// A slash leads to the field that finds things, where nobody is typing.
document.addEventListener("keydown", (event) => {
  const field = document.querySelector(".find input");
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && field && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Goods are counted by scanning them: a scanner types a product's id and Enter, which sends no form here.
function count(scan, product) {
  const units = [...scan.closest("form").querySelectorAll("[data-product]")];
  const lines = units.filter((one) => one.dataset.product === product);
  const counted = (line) => Number(line.value) || 0;
  let told = scan.dataset.unknown;
  if (lines.length) {
    if ("fresh" in scan.dataset) {
      delete scan.dataset.fresh; // what the page filled in is no count; what somebody typed stays
      units.filter((one) => one.value === one.defaultValue).forEach((one) => { one.value = ""; });
    }
    const open = lines.find((line) => counted(line) < Number(line.dataset.most));
    if (open) {
      open.value = counted(open) + 1;
    }
    told = open ? scan.dataset.counted : scan.dataset.full;
  }
  const sum = (of) => lines.reduce((all, line) => all + of(line), 0);
  const facts = { product, count: sum(counted), most: sum((line) => Number(line.dataset.most)) };
  const status = scan.querySelector("[role=status]");
  status.textContent = told.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  status.className = told === scan.dataset.counted ? "hint" : "flaw";
}

for (const scan of document.querySelectorAll(".scan")) {
  const field = scan.querySelector("input");
  scan.hidden = false;
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (field.value.trim()) {
        count(scan, field.value.trim());
      }
      field.value = "";
    }
  });
}

// A page that is opened where nobody looks at it, in another tab, holds no connection until somebody does, as one
// that is left: browsers have six for a server, and the next page would wait for one for ever.
document.addEventListener("htmx:sse:after:connection", () => {
  if (document.hidden) {
    setTimeout(() => document.dispatchEvent(new Event("visibilitychange")));
  }
});

document.addEventListener("htmx:after:swap", tell);
document.addEventListener("htmx:sse:after:message", tell);
tell();
