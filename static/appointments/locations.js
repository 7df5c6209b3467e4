// Sort branches by distance. The position stays in the browser. Without this file, branches are in the order of their names.
"use strict";

const list = document.getElementById("branches");
const button = document.getElementById("sort-by-distance");
const distanceNote = document.getElementById("distance-note");

if (list && button && navigator.geolocation) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(({ coords }) => sortFrom(coords), showFailure, { timeout: 10_000, maximumAge: 300_000 });
  });
}

function sortFrom(here) {
  const branches = [...list.children].map((item) => ({ item, km: kilometres(here, item.dataset) }));
  branches.sort((a, b) => a.km - b.km);
  for (const { item, km } of branches) {
    if (Number.isFinite(km)) item.querySelector("[data-distance]").textContent = `${km < 10 ? km.toFixed(1) : Math.round(km)} km`;
    list.append(item);
  }
  button.hidden = true;
}

// Great-circle distance (haversine formula). A branch without coordinates comes last.
function kilometres(here, { latitude, longitude }) {
  if (!latitude) return Infinity;
  const radians = (degrees) => degrees * Math.PI / 180;
  const north = radians(latitude - here.latitude);
  const east = radians(longitude - here.longitude);
  const part = Math.sin(north / 2) ** 2
    + Math.cos(radians(here.latitude)) * Math.cos(radians(latitude)) * Math.sin(east / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(part));
}

function showFailure() {
  button.hidden = true;
  distanceNote.hidden = false;
}
