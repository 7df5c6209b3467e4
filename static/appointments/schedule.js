// The schedule: draw the columns from the data in the page, and poll for changes every five seconds.
"use strict";

const POLL_MS = 5_000;
const calendarBox = document.getElementById("calendar");
const schedule = document.getElementById("schedule");
const dataElement = document.getElementById("schedule-data");
// Polling pauses while this set has entries, for example during a drag or an open dialog.
window.scheduleHolds = window.scheduleHolds || new Set();

const calendar = calendarBox && dataElement && window.EventCalendar ? drawCalendar(JSON.parse(dataElement.textContent)) : null;
if (schedule) pollFor(calendar);

function drawCalendar(data) {
  calendarBox.hidden = false;
  document.documentElement.classList.add("has-calendar");
  const made = EventCalendar.create(calendarBox, {
    view: data.view,
    date: data.date,
    firstDay: data.firstDay,
    hiddenDays: data.hiddenDays,
    locale: "en-GB",
    slotLabelFormat: clockOf(data),
    eventTimeFormat: clockOf(data),
    headerToolbar: { start: "", center: "", end: "" },
    dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
    allDaySlot: false,
    datesAboveResources: false,
    nowIndicator: hasSameLocalTime(data.zone),
    slotDuration: "00:15",
    snapDuration: data.snap,
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
    eventContent,
    eventDidMount: addLabel,
    eventClick: ({ event, jsEvent }) => window.openAppointment(event.extendedProps.url, jsEvent),
    dateClick: data.bookUrl ? (slot) => book(data, slot) : undefined,
  });
  // The library's table roles contain buttons and links, which misleads screen readers: remove them.
  for (const part of calendarBox.querySelectorAll("[role]:not([role=button])")) {
    for (const name of ["role", "aria-colindex", "aria-rowindex", "aria-colspan", "aria-rowspan"]) part.removeAttribute(name);
  }
  return made;
}

function clockOf({ hour12 }) {
  return { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hour12 };
}

// The calendar draws the current time in the browser's zone, so hide it if the schedule's zone differs.
function hasSameLocalTime(zone) {
  const now = new Date();
  const localTimeNow = (options) => new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short", ...options }).format(now);
  return localTimeNow({}) === localTimeNow({ timeZone: zone });
}

function book(data, { dateStr, resource }) {
  const staff = resource ? resource.id : data.resources[0].id;
  // A click chooses its row of a quarter hour, even if drags snap to less.
  const minutes = Math.floor(Number(dateStr.slice(14, 16)) / 15) * 15;
  const time = `${dateStr.slice(11, 13)}:${String(minutes).padStart(2, "0")}`;
  const query = new URLSearchParams({ staff, date: dateStr.slice(0, 10), time });
  window.location.assign(`${data.bookUrl}?${query}`);
}

function eventContent({ event }) {
  if (event.display === "background") return undefined;
  const details = event.extendedProps;
  const first = element("div", "booked-first");
  // Icons come before the name, because a long name is cut off at the end.
  const link = { pending: "hourglass-split", failed: "exclamation-triangle-fill" }[details.link];
  const attention = details.attention && "flag-fill";
  first.append(...[attention, details.statusIcon, link, details.icon].filter(Boolean).map(icon), element("strong", "", event.title));
  return { domNodes: [first, element("div", "booked-more", details.service)] };
}

function addLabel({ el, event, timeText }) {
  if (event.display === "background") return;
  const details = event.extendedProps;
  const labels = [timeText, event.title, details.service, details.method, details.status, details.linkLabel, details.attention].filter(Boolean);
  el.setAttribute("aria-label", labels.join(", "));
  el.title = labels.join("\n");
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

// The browser revalidates with the ETag, so an unchanged schedule costs a 304 and no redraw.
function pollFor(shownCalendar) {
  const warning = document.getElementById("schedule-warning");
  let etag = schedule.dataset.etag;
  let isPolling = false;

  async function poll() {
    if (document.hidden || isPolling || window.scheduleHolds.size) return;
    isPolling = true;
    try {
      const headers = { "X-Requested-With": "XMLHttpRequest", "X-Poll": "1" };
      const response = await fetch(schedule.dataset.events, { cache: "no-cache", redirect: "error", headers });
      if (window.leaveToSignIn(response)) return;
      if (!response.ok) throw new Error(response.statusText);
      warning.hidden = true;
      const data = await response.json();
      if (response.headers.get("ETag") === etag || window.scheduleHolds.size) return;
      etag = response.headers.get("ETag");
      if (shownCalendar) showColumns(Boolean(data.events));
      if (shownCalendar && data.events) redraw(shownCalendar, data);
      htmx.trigger(document.body, "schedule-changed");
    } catch {
      warning.hidden = false;
    } finally {
      isPolling = false;
    }
  }

  // A redraw between press and release would replace the appointment, and the click would be lost.
  schedule.addEventListener("pointerdown", ({ button, isPrimary }) => {
    if (button === 0 && isPrimary) window.scheduleHolds.add("pointer");
  }, true);
  for (const end of ["pointerup", "pointercancel", "contextmenu", "blur"]) {
    window.addEventListener(end, () => setTimeout(() => window.scheduleHolds.delete("pointer")), true);
  }
  setInterval(poll, POLL_MS);
  document.addEventListener("visibilitychange", poll);
  document.addEventListener("schedule-refresh", poll);
}

// A week has columns for one person only. If another person appears, show the table instead.
function showColumns(isVisible) {
  calendarBox.hidden = !isVisible;
  document.documentElement.classList.toggle("has-calendar", isVisible);
}

function redraw(shownCalendar, data) {
  const focused = document.activeElement?.dataset?.appointment;
  for (const [option, value] of [["slotMinTime", data.from], ["slotMaxTime", data.to], ["hiddenDays", data.hiddenDays],
    ["snapDuration", data.snap], ["resources", data.resources], ["events", data.events]]) {
    if (JSON.stringify(shownCalendar.getOption(option)) !== JSON.stringify(value)) shownCalendar.setOption(option, value);
  }
  requestAnimationFrame(() => {
    if (focused) calendarBox.querySelector(`[data-appointment="${focused}"]`)?.focus();
    document.dispatchEvent(new Event("schedule-drawn"));
  });
}

// Keep the keyboard focus when htmx replaces the list.
let focusedBefore = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const focused = document.activeElement;
  if (event.target.id === "day-list" && event.target.contains(focused)) focusedBefore = focused.getAttribute("href");
});
document.addEventListener("htmx:afterSettle", () => {
  if (focusedBefore) document.querySelector(`#day-list a[href="${CSS.escape(focusedBefore)}"]`)?.focus();
  focusedBefore = null;
});

// Left, right, T and the letters of the views navigate, unless the user is typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.target.closest("input, select, textarea, dialog, .offcanvas")) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (link) link.click();
});
