// Times in the reader's own zone, and whether an order changed while somebody fills in a form.
"use strict";

const times = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });

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

document.addEventListener("htmx:after:swap", tell);
document.addEventListener("htmx:sse:after:message", tell);
tell();
