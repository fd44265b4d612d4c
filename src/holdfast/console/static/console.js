// Times in the reader's own zone, whether an order changed while somebody fills in a form, and keys.
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

document.addEventListener("htmx:after:swap", tell);
document.addEventListener("htmx:sse:after:message", tell);
tell();
