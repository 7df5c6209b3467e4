// The day as columns: drawn from the data in the page, refreshed while somebody looks at it.
"use strict";

const REFRESH_MS = 10_000;
const box = document.getElementById("calendar");
const data = document.getElementById("schedule-data");

if (box && data && window.EventCalendar) drawCalendar(JSON.parse(data.textContent));

function drawCalendar(day) {
  box.hidden = false;
  document.documentElement.classList.add("has-calendar");
  const calendar = EventCalendar.create(box, {
    view: "resourceTimeGridDay",
    date: day.date,
    locale: "en-GB",
    headerToolbar: { start: "", center: "", end: "" },
    allDaySlot: false,
    datesAboveResources: false,
    nowIndicator: hasTheSameClock(day.zone),
    slotDuration: "00:15",
    slotLabelInterval: "01:00",
    slotHeight: 26,
    slotMinTime: day.from,
    slotMaxTime: day.to,
    slotEventOverlap: false,
    eventStartEditable: false,
    eventDurationEditable: false,
    pointer: Boolean(day.bookUrl),
    resources: day.resources,
    events: day.events,
    eventContent: contentOf,
    eventDidMount: nameIt,
    eventClick: ({ event, jsEvent }) => open(event.extendedProps.url, jsEvent),
    dateClick: day.bookUrl ? (slot) => book(day.bookUrl, slot) : undefined,
  });
  // The library says "table" of what holds buttons and links, which misleads those who listen.
  for (const part of box.querySelectorAll("[role]:not([role=button])")) {
    for (const name of ["role", "aria-colindex", "aria-rowindex", "aria-colspan", "aria-rowspan"]) part.removeAttribute(name);
  }
  refreshNowAndThen(calendar, data.textContent.trim());
}

// The calendar draws the present moment by the browser's clock, which may be another one than the schedule's.
function hasTheSameClock(zone) {
  const now = new Date();
  const clock = (options) => new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short", ...options }).format(now);
  return clock({}) === clock({ timeZone: zone });
}

function open(url, jsEvent) {
  if (jsEvent && (jsEvent.ctrlKey || jsEvent.metaKey)) window.open(url, "_blank", "noopener");
  else window.location.assign(url);
}

function book(url, { dateStr, resource }) {
  const query = new URLSearchParams({ staff: resource.id, date: dateStr.slice(0, 10), time: dateStr.slice(11, 16) });
  window.location.assign(`${url}?${query}`);
}

function contentOf({ event }) {
  if (event.display === "background") return undefined;
  const about = event.extendedProps;
  const first = element("div", "booked-first");
  first.append(icon(about.icon), element("strong", "", event.title));
  if (about.link === "pending" || about.link === "failed") first.append(icon(about.link === "failed" ? "exclamation-triangle-fill" : "hourglass-split"));
  return { domNodes: [first, element("div", "booked-more", about.service)] };
}

function nameIt({ el, event, timeText }) {
  if (event.display === "background") return;
  const about = event.extendedProps;
  const words = [timeText, event.title, about.service, about.method, about.status, about.linkWords].filter(Boolean);
  el.setAttribute("aria-label", words.join(", "));
  el.title = words.join("\n");
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function icon(name) {
  const made = element("i", `bi bi-${name}`);
  made.setAttribute("aria-hidden", "true");
  return made;
}

// The browser revalidates by ETag: an unchanged day costs one small answer and is not drawn again.
function refreshNowAndThen(calendar, shown) {
  const trouble = document.getElementById("schedule-trouble");
  let before = JSON.stringify(JSON.parse(shown));
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(box.dataset.events, { cache: "no-cache", redirect: "error" });
      if (!answer.ok) throw new Error(answer.statusText);
      const day = await answer.json();
      const now = JSON.stringify(day);
      trouble.hidden = true;
      if (now === before) return;
      before = now;
      calendar.setOption("slotMinTime", day.from);
      calendar.setOption("slotMaxTime", day.to);
      calendar.setOption("resources", day.resources);
      calendar.setOption("events", day.events);
      htmx.trigger(document.body, "schedule-changed");
    } catch {
      trouble.hidden = false;
    }
  }, REFRESH_MS);
}

// Left, right and T go through the days, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (link) link.click();
});
