// Which view is open, the keyboard, light and dark.

let opened = null;
let showing = null;

// The address says what is shown. What a key or a click asks for is drawn at once: the browser tells of a new address
// only some time later, when the next key may have come already.
function go(address) {
  location.hash = address;
  route();
}

function route() {
  const address = location.hash.startsWith("#/") ? location.hash : showing || "#/workflows";
  if (address === showing) return;
  showing = address;
  const [, view, index] = address.split("/");
  const name = view === "runs" ? "runs" : "workflows";
  for (const section of document.querySelectorAll(".view")) section.classList.toggle("hidden", section.id !== name);
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name !== "runs") return;
  opened = index !== undefined && data.instances[Number(index)] ? Number(index) : null;
  if (opened === null) noInstance();
  else {
    openInstance(opened);
    active = rows.findIndex((row) => row.index === opened);
    if (active >= 0) moveTo(active, 1);
  }
  drawRows();
}

function closeInstance() {
  go("#/runs");
  document.getElementById("list").focus();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  button.title = `Switch to ${theme === "dark" ? "light" : "dark"} (d)`;
}

function switchTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setTheme(theme);
  try {
    localStorage.setItem("workflows-theme", theme);
  } catch {
    // a browser that keeps nothing for files
  }
}

function keptTheme() {
  try {
    return localStorage.getItem("workflows-theme");
  } catch {
    return null;
  }
}

const KEYS = {
  "/": () => {
    if (!location.hash.startsWith("#/runs")) go("#/runs");
    document.getElementById("search").focus();
    document.getElementById("search").select();
  },
  d: switchTheme,
  "?": () => document.getElementById("help").showModal(),
  w: () => go("#/workflows"),
  r: () => go("#/runs"),
  j: () => moveTo(active + 1, 1),
  ArrowDown: () => moveTo(active + 1, 1),
  k: () => moveTo(active - 1, -1),
  ArrowUp: () => moveTo(active - 1, -1),
  Home: () => moveTo(0, 1),
  End: () => moveTo(rows.length - 1, -1),
  PageDown: () => moveTo(active + 12, 1),
  PageUp: () => moveTo(active - 12, -1),
  Enter: () => active >= 0 && go(`#/runs/${rows[active].index}`),
  Escape: closeInstance,
};
const LIST_KEYS = new Set(["j", "k", "ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "Enter", "Escape"]);

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("help").open) return;
  const target = event.target;
  if (target.matches("input, select, textarea")) {
    if (event.key === "Escape" || (event.key === "Enter" && target.id === "search")) document.getElementById("list").focus();
    if (event.key === "Enter" && target.id === "search") moveTo(0, 1);
    return;
  }
  const runs = location.hash.startsWith("#/runs");
  if (runs && timeline !== null && timeline.key(event.key)) event.preventDefault();
  else if (event.key in KEYS) {
    if (LIST_KEYS.has(event.key)) {
      const inside = target.closest("#detail") !== null && event.key !== "Escape" && !["j", "k"].includes(event.key);
      if (!runs || inside || (event.key === "Enter" && target.matches("a, button, summary"))) return;
    }
    event.preventDefault();
    KEYS[event.key]();
  }
}

setTheme(keptTheme() || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
document.getElementById("theme").addEventListener("click", switchTheme);
document.getElementById("keys").addEventListener("click", KEYS["?"]);
document.addEventListener("keydown", onKey);
addEventListener("hashchange", route);
startList();
makeRows();
route();
