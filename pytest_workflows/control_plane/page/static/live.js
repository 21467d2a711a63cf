// What the server tells: what changed is taken at once, and drawn once a frame at most.

let source = null;
let isFramed = false;
let stuck = null;
let refusal = null;
let lastSlow = 0;

function listen() {
  source?.close();
  source = new EventSource("/__workflows/api/changes");
  source.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    stuck = told.stuck ?? null;
    if (stuck === null) take(told);
    link(true);
    drawSoon();
  });
  source.addEventListener("error", () => {
    link(false);
    // A browser tries again by itself, but not where the server refused: that is done here.
    if (source?.readyState !== EventSource.CLOSED) return;
    learnRefusal();
    setTimeout(() => document.hidden || listen(), 2000);
  });
}

// Why the server refuses: a source of events does not say it. A server that was started again may want another token.
async function learnRefusal() {
  try {
    await ask("overview");
    refusal = null;
  } catch (error) {
    refusal = error.status ? error.message : null;
  }
  drawSoon();
}

// A browser opens six connections to a server: a window that nobody sees leaves its own to the others.
function listenWhileSeen() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) listen();
}

function link(there) {
  if (there === isLinked) return;
  const isBack = there && overview !== null && !isLinked;
  isLinked = there;
  if (there) refusal = null;
  if (isBack && opened !== null) renewInstance();
  drawSoon();
}

function take(told) {
  if (told.all) lines.clear();
  const before = opened === null ? null : lines.get(opened.key)?.revision;
  for (const line of told.lines) takeLine(line);
  for (const [workflow, id] of told.gone) lines.delete(keyOf(workflow, id));
  overview = { ...overview, ...told };
  clock.at = Date.parse(told.now);
  clock.read = performance.now();
  if (opened !== null && (told.all || lines.get(opened.key)?.revision !== before)) renewInstance();
  drawSoon();
}

function drawSoon() {
  if (isFramed) return;
  isFramed = true;
  requestAnimationFrame(() => {
    isFramed = false;
    draw();
  });
}

function draw() {
  drawHead();
  drawBanners();
  const view = viewNow();
  if (view === "instances") {
    drawSelect();
    drawChips();
    makeRows();
  } else if (view === "workflows") drawWorkflows();
  else if (view === "versions") drawVersions();
  else slowly(view === "stores" ? () => stores.isLong || renewStores() : renewNumbers);
}

// What costs the server more is asked for every two seconds at most.
let slowTimer = null;

function slowly(action) {
  if (slowTimer !== null || !isLinked) return;
  slowTimer = setTimeout(() => {
    slowTimer = null;
    lastSlow = performance.now();
    action();
  }, Math.max(0, 2000 - (performance.now() - lastSlow)));
}
