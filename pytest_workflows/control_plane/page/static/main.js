// Which view is open, and the keyboard.

const VIEWS = ["instances", "workflows", "stores", "numbers", "versions"];
let showing = null;

function viewOf(address) {
  const [, name] = address.split("/");
  return VIEWS.includes(name) ? name : "instances";
}

// Which view is showing: an address may be that of a place on it, as the link to skip the head has it.
function viewNow() {
  return viewOf(showing ?? location.hash);
}

// The address says what is shown. What a key or a click asks for is drawn at once: the browser reports a new address
// only some time later, when the next key may have come already.
function go(address) {
  location.hash = address;
  route();
}

function route() {
  const address = location.hash.startsWith("#/") ? location.hash : showing || "#/instances";
  if (address === showing) return;
  const isOther = showing === null || viewOf(address) !== viewOf(showing);
  showing = address;
  const name = viewOf(address);
  const [, , ...rest] = address.split("/").map(readPart);
  for (const section of document.querySelectorAll(".view")) section.classList.toggle("hidden", section.id !== name);
  for (const item of document.querySelectorAll("header nav a")) {
    if (item.getAttribute("href") === `#/${name}`) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  if (isOther) scrollTo({ top: 0, behavior: "instant" });
  if (name === "instances") {
    if (rest.length >= 2) openInstance(rest[0], rest[1]);
    else noInstance();
  }
  if (name === "stores") {
    stores.isLong = false;
    showStores(...rest);
  }
  if (name === "numbers") renewNumbers();
  draw();
}

function readPart(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const KEYS = {
  "/": () => {
    if (viewNow() !== "instances") go("#/instances");
    document.getElementById("search").focus();
    document.getElementById("search").select();
  },
  d: switchTheme,
  "?": helpDialog,
  i: () => go("#/instances"),
  w: () => go("#/workflows"),
  s: () => go("#/stores"),
  u: () => go("#/numbers"),
  v: () => go("#/versions"),
  n: () => createDialog(filter.workflow),
  c: travelDialog,
  e: () => opened?.run && !FINAL.has(opened.run.status) && eventDialog(opened.run, opened.meant),
  j: () => moveBy(1),
  ArrowDown: () => moveBy(1),
  k: () => moveBy(-1),
  ArrowUp: () => moveBy(-1),
  Home: () => moveTo(0),
  End: () => moveTo(rows.length - 1),
  PageDown: () => moveBy(12),
  PageUp: () => moveBy(-12),
  Enter: openActive,
  Escape: closeInstance,
};
const LIST_KEYS = new Set(["j", "k", "ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "Enter", "Escape"]);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) return;
  const { target } = event;
  if (target.matches("input, select, textarea")) {
    if (target.id === "search" && (event.key === "Escape" || event.key === "Enter")) {
      document.getElementById("list").focus();
      if (event.key === "Enter") moveTo(0);
    }
    return;
  }
  const isHere = viewNow() === "instances";
  if (isHere && timeline !== null && timeline.key(event.key)) event.preventDefault();
  else if (Object.hasOwn(KEYS, event.key)) {
    if (LIST_KEYS.has(event.key)) {
      const isInside = target.closest("#detail") !== null && event.key !== "Escape" && !["j", "k"].includes(event.key);
      if (!isHere || isInside || (event.key === "Enter" && target.matches("a, button, summary"))) return;
    }
    event.preventDefault();
    KEYS[event.key]();
  }
}

startTheme();
startHead();
document.getElementById("keys").addEventListener("click", helpDialog);
document.getElementById("create").addEventListener("click", () => createDialog(filter.workflow));
document.getElementById("clock").addEventListener("click", travelDialog);
document.addEventListener("keydown", onKey);
document.addEventListener("visibilitychange", listenWhileSeen);
addEventListener("hashchange", route);
setInterval(() => document.hidden || drawClock(), 1000);
startList();
startDetail();
route();
listen();
