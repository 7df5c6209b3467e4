// Keep what a person typed when the session ends. After the same person has signed in again, it is back on its page.
// The draft is in this tab only (sessionStorage). It has no passwords, and no hidden fields but those with data-keep.
"use strict";

const DRAFT_KEY = "coconut-draft";
const DRAFT_LEFT_OUT = new Set(["password", "file", "submit", "button", "image", "reset"]);
const draftUser = document.body.dataset.user;
const touchedFields = new WeakSet();
const DRAFT_STEP_MS = 250;
const DRAFT_SECONDS = 15;
// What is not restored yet, because htmx loads those fields later. Given up when the person types, or at the deadline.
let draftForms = [];
let draftDeadline = 0;

document.addEventListener("input", (event) => {
  touchedFields.add(event.target);
  if (event.isTrusted) draftForms = [];
});
document.addEventListener("change", (event) => touchedFields.add(event.target), true);

// A form that is sent may be answered by the sign-in page.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-sign-out]")) sessionStorage.removeItem(DRAFT_KEY);
  else if (isPost(event.target)) saveDraft(false);
});

// The server sends htmx to the sign-in page, or reloads the page.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401 || xhr.getResponseHeader("HX-Refresh")) saveDraft(true);
});

// For scripts that use fetch: leave for the sign-in page if the session has ended. Returns whether it has.
window.leaveToSignIn = function leaveToSignIn(response) {
  if (response.status !== 401) return false;
  saveDraft(true);
  window.location.assign(response.headers.get("HX-Redirect"));
  return true;
};

function saveDraft(isPending) {
  if (!draftUser) return;
  const forms = [...document.querySelectorAll("form")].filter(isPost).map(draftOf).filter(Boolean);
  if (forms.length) sessionStorage.setItem(DRAFT_KEY, JSON.stringify({ user: draftUser, page: window.location.pathname, forms, isPending }));
  else sessionStorage.removeItem(DRAFT_KEY);
  // Nothing is lost, so don't warn before leaving.
  if (isPending) document.querySelectorAll("form[data-changed]").forEach((form) => { delete form.dataset.changed; });
}

function draftOf(form) {
  const fields = [...form.elements].filter((field) => field.name && !DRAFT_LEFT_OUT.has(field.type) && (field.type !== "hidden" || field.hasAttribute("data-keep")));
  if (!fields.some(isChanged)) return null;
  // Of a form that htmx updates, the server may have rendered typed values as defaults.
  const kept = updatesItself(form) ? fields : fields.filter((field) => isChanged(field) || field.type === "hidden");
  return { action: formPath(form), fields: kept.map((field) => ({ name: field.name, nth: siblings(form, field.name).indexOf(field), type: field.type, value: field.value, checked: Boolean(field.checked) })) };
}

function isChanged(field) {
  if (touchedFields.has(field)) return true;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0;
  return field.value !== field.defaultValue;
}

// Not form.method, which is the field with this name if there is one.
function isPost(form) {
  return form.getAttribute("method") === "post";
}

function updatesItself(form) {
  return form.querySelector("[hx-post]") !== null;
}

function formPath(form) {
  return new URL(form.getAttribute("action") || "", window.location.href).pathname;
}

function siblings(form, name) {
  return [...form.elements].filter((field) => field.name === name);
}

function restoreDraft() {
  const draft = JSON.parse(sessionStorage.getItem(DRAFT_KEY) || "null");
  if (!draft) return;
  if ("keepsDraft" in document.body.dataset) sessionStorage.setItem(DRAFT_KEY, JSON.stringify({ ...draft, isPending: true }));
  if (!draftUser) return;
  if (!draft.isPending || draft.user !== draftUser) sessionStorage.removeItem(DRAFT_KEY);
  else if (draft.page === window.location.pathname) {
    sessionStorage.removeItem(DRAFT_KEY);
    draftForms = draft.forms;
    draftDeadline = Date.now() + DRAFT_SECONDS * 1000;
    fillForms();
  }
}

// Fill in what is on the page, and try again for what htmx loads later.
function fillForms() {
  if (!document.querySelector(".htmx-request")) draftForms = draftForms.filter((draft) => !fillForm(draft));
  if (draftForms.length && Date.now() < draftDeadline) setTimeout(fillForms, DRAFT_STEP_MS);
}

// Returns whether the form has everything. A form that htmx updates gets one value at a time: each changes what follows.
function fillForm(draft) {
  const form = [...document.querySelectorAll("form")].find((other) => isPost(other) && formPath(other) === draft.action);
  if (!form) return false;
  const missing = [];
  for (const [index, saved] of draft.fields.entries()) {
    const outcome = fillField(form, saved);
    if (outcome === "missing") missing.push(saved);
    if (outcome === "filled") showRestored();
    if (outcome === "filled" && updatesItself(form)) {
      draft.fields = [...missing, ...draft.fields.slice(index + 1)];
      return false;
    }
  }
  draft.fields = missing;
  return missing.length === 0;
}

// Returns "filled", "same" if there was nothing to do, or "missing".
function fillField(form, saved) {
  const isChoice = saved.type === "checkbox" || saved.type === "radio";
  const field = siblings(form, saved.name).find((other, nth) => (isChoice ? other.value === saved.value : nth === saved.nth));
  if (!field) return isChoice && !saved.checked ? "same" : "missing";
  if (isChoice ? field.checked === saved.checked : field.value === saved.value) return "same";
  if (field.options && ![...field.options].some((option) => option.value === saved.value)) return "missing";
  if (isChoice) field.checked = saved.checked;
  else field.value = saved.value;
  if (field.type === "hidden") return "same";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (updatesItself(form)) field.dispatchEvent(new Event("change", { bubbles: true }));
  return "filled";
}

function showRestored() {
  const box = document.getElementById("messages");
  if (!box || document.getElementById("draft-restored")) return;
  const notice = document.createElement("div");
  notice.id = "draft-restored";
  notice.className = "alert alert-info";
  notice.setAttribute("role", "status");
  notice.textContent = box.dataset.restored;
  box.append(notice);
}

document.addEventListener("DOMContentLoaded", restoreDraft);
