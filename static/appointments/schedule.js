// The schedule: columns are drawn from the data in the page; what colleagues change appears within five seconds.
"use strict";

const POLL_MS = 5_000;
const box = document.getElementById("calendar");
const whole = document.getElementById("schedule");
const drawn = document.getElementById("schedule-data");
// Others hold the refreshing while they must not be disturbed: a drag, a question.
window.scheduleHolds = window.scheduleHolds || new Set();

const calendar = box && drawn && window.EventCalendar ? drawCalendar(JSON.parse(drawn.textContent)) : null;
if (whole) pollFor(calendar);

function drawCalendar(data) {
  box.hidden = false;
  document.documentElement.classList.add("has-calendar");
  const made = EventCalendar.create(box, {
    view: data.view,
    date: data.date,
    firstDay: 1,
    hiddenDays: data.hiddenDays,
    locale: "en-GB",
    headerToolbar: { start: "", center: "", end: "" },
    dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
    allDaySlot: false,
    datesAboveResources: false,
    nowIndicator: hasTheSameClock(data.zone),
    slotDuration: "00:15",
    slotLabelInterval: "01:00",
    slotHeight: 26,
    slotMinTime: data.from,
    slotMaxTime: data.to,
    slotEventOverlap: false,
    eventStartEditable: false,
    eventDurationEditable: false,
    eventDragStart: () => window.scheduleHolds.add("columns"),
    eventDragStop: () => window.scheduleHolds.delete("columns"),
    eventResizeStart: () => window.scheduleHolds.add("columns"),
    eventResizeStop: () => window.scheduleHolds.delete("columns"),
    eventDrop: (info) => window.columnDrop(info, (info.newResource || { id: info.event.resourceIds[0] }).id, false),
    eventResize: (info) => window.columnDrop(info, info.event.resourceIds[0], true),
    pointer: Boolean(data.bookUrl),
    resources: data.resources,
    resourceLabelContent: ({ resource }) => ({ domNodes: [personLink(resource)] }),
    events: data.events,
    eventContent: contentOf,
    eventDidMount: nameIt,
    eventClick: ({ event, jsEvent }) => window.openAppointment(event.extendedProps.url, jsEvent),
    dateClick: data.bookUrl ? (slot) => book(data, slot) : undefined,
  });
  // The library says "table" of what holds buttons and links, which misleads those who listen.
  for (const part of box.querySelectorAll("[role]:not([role=button])")) {
    for (const name of ["role", "aria-colindex", "aria-rowindex", "aria-colspan", "aria-rowspan"]) part.removeAttribute(name);
  }
  return made;
}

// The calendar draws the present moment by the browser's clock, which may be another one than the schedule's.
function hasTheSameClock(zone) {
  const now = new Date();
  const clock = (options) => new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short", ...options }).format(now);
  return clock({}) === clock({ timeZone: zone });
}

function book(data, { dateStr, resource }) {
  const staff = resource ? resource.id : data.resources[0].id;
  const query = new URLSearchParams({ staff, date: dateStr.slice(0, 10), time: dateStr.slice(11, 16) });
  window.location.assign(`${data.bookUrl}?${query}`);
}

function contentOf({ event }) {
  if (event.display === "background") return undefined;
  const about = event.extendedProps;
  const first = element("div", "booked-first");
  // Before the name, which is cut where it is too long.
  const link = { pending: "hourglass-split", failed: "exclamation-triangle-fill" }[about.link];
  first.append(...[about.statusIcon, link, about.icon].filter(Boolean).map(icon), element("strong", "", event.title));
  return { domNodes: [first, element("div", "booked-more", about.service)] };
}

function nameIt({ el, event, timeText }) {
  if (event.display === "background") return;
  const about = event.extendedProps;
  const words = [timeText, event.title, about.service, about.method, about.status, about.linkWords].filter(Boolean);
  el.setAttribute("aria-label", words.join(", "));
  el.title = words.join("\n");
  el.dataset.appointment = event.id;
}

function personLink(resource) {
  const link = element("a", "", resource.title);
  link.href = resource.extendedProps.url;
  return link;
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

// The browser revalidates by ETag: while nothing changed, an answer is a small one and nothing is drawn again.
function pollFor(shownCalendar) {
  const trouble = document.getElementById("schedule-trouble");
  let etag = whole.dataset.etag;
  let asking = false;

  async function look() {
    if (document.hidden || asking || window.scheduleHolds.size) return;
    asking = true;
    try {
      const answer = await fetch(whole.dataset.events, { cache: "no-cache", redirect: "error" });
      if (!answer.ok) throw new Error(answer.statusText);
      trouble.hidden = true;
      const data = await answer.json();
      if (answer.headers.get("ETag") === etag || window.scheduleHolds.size) return;
      etag = answer.headers.get("ETag");
      if (shownCalendar) showColumns(Boolean(data.events));
      if (shownCalendar && data.events) redraw(shownCalendar, data);
      htmx.trigger(document.body, "schedule-changed");
    } catch {
      trouble.hidden = false;
    } finally {
      asking = false;
    }
  }

  setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("schedule-look", look);
}

// The columns of a week are those of one person: where there is somebody else by now, the table takes their place.
function showColumns(areThere) {
  box.hidden = !areThere;
  document.documentElement.classList.toggle("has-calendar", areThere);
}

function redraw(shownCalendar, data) {
  const focused = document.activeElement?.dataset?.appointment;
  for (const [option, value] of [["slotMinTime", data.from], ["slotMaxTime", data.to], ["hiddenDays", data.hiddenDays],
    ["resources", data.resources], ["events", data.events]]) {
    if (JSON.stringify(shownCalendar.getOption(option)) !== JSON.stringify(value)) shownCalendar.setOption(option, value);
  }
  requestAnimationFrame(() => {
    if (focused) box.querySelector(`[data-appointment="${focused}"]`)?.focus();
    document.dispatchEvent(new Event("schedule-drawn"));
  });
}

// A part of the page that is replaced keeps the place of whoever goes through it by keyboard.
let focusedBefore = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const focused = document.activeElement;
  if (event.target.id === "day-list" && event.target.contains(focused)) focusedBefore = focused.getAttribute("href");
});
document.addEventListener("htmx:afterSettle", () => {
  if (focusedBefore) document.querySelector(`#day-list a[href="${CSS.escape(focusedBefore)}"]`)?.focus();
  focusedBefore = null;
});

// Left, right, T and the views' letters go through the days, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.target.closest("input, select, textarea, dialog, .offcanvas")) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (link) link.click();
});
