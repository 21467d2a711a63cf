// Which view is open, the keyboard, light and dark.

let opened = null;
let openedTest = null;
let showing = null;

// The address says what is shown. What a key or a click asks for is drawn at once: the browser reports a new address
// only some time later, when the next key may have come already.
function go(address) {
  location.hash = address;
  route();
}

// A session that failed opens where it failed, any other one with its workflows.
function firstAddress() {
  const test = data.tests.findIndex((one) => one.outcome === "failed");
  if (test < 0) return "#/workflows";
  const index = firstInstance(test);
  return index < 0 ? `#/tests/${test}` : `#/runs/${index}`;
}

const VIEWS = { workflows: "workflows", runs: "runs", tests: "runs", findings: "findings" };

function route() {
  const address = location.hash.startsWith("#/") ? location.hash : showing || firstAddress();
  if (address === showing) return;
  showing = address;
  const [, view, number] = address.split("/");
  const name = Object.hasOwn(VIEWS, view) ? VIEWS[view] : "workflows";
  for (const section of document.querySelectorAll(".view")) section.classList.toggle("hidden", section.id !== name);
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "runs") showRun(view, number);
  else scrollTo({ top: 0, behavior: "instant" });
}

function showRun(view, number) {
  const chosen = (kind, list) => (view === kind && number !== undefined && list[Number(number)] ? Number(number) : null);
  opened = chosen("runs", data.instances);
  openedTest = chosen("tests", data.tests);
  if (opened !== null) openInstance(opened);
  else if (openedTest !== null) openTest(openedTest);
  else noInstance();
  const found = rows.findIndex((row) => isChoice(row) && addressOf(row) === showing);
  if (found >= 0) moveTo(found, 1);
  drawRows();
}

function closeInstance() {
  go("#/runs");
  reveal(document.getElementById("runs"));
  document.getElementById("list").focus({ preventScroll: true });
}

function inRuns() {
  return !document.getElementById("runs").classList.contains("hidden");
}

const KEYS = {
  "/": () => {
    if (!inRuns()) go("#/runs");
    document.getElementById("search").focus();
    document.getElementById("search").select();
  },
  d: switchTheme,
  "?": () => document.getElementById("help").showModal(),
  w: () => go("#/workflows"),
  r: () => go("#/runs"),
  f: () => go("#/findings"),
  j: () => moveTo(active + 1, 1),
  ArrowDown: () => moveTo(active + 1, 1),
  k: () => moveTo(active - 1, -1),
  ArrowUp: () => moveTo(active - 1, -1),
  Home: () => moveTo(0, 1),
  End: () => moveTo(rows.length - 1, -1),
  PageDown: () => moveTo(active + 12, 1),
  PageUp: () => moveTo(active - 12, -1),
  Enter: () => active >= 0 && go(addressOf(rows[active])),
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
  const runs = inRuns();
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

startTheme();
document.getElementById("keys").addEventListener("click", KEYS["?"]);
document.addEventListener("keydown", onKey);
addEventListener("hashchange", route);
startHead();
fillSources();
startList();
route();
