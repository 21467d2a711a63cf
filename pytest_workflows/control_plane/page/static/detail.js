// One instance, opened: asked for again when its line changes, and only what changed of it drawn anew.

let opened = null;
let timeline = null;

function openInstance(workflow, id) {
  const key = keyOf(workflow, id);
  if (opened?.key === key) return;
  opened = { key, meant: { workflow, id }, run: null, parts: new Map(), asking: false, again: false, isUnanswered: false };
  timeline = null;
  active = key;
  document.getElementById("detail").replaceChildren(el("div", { class: "empty" }, "Loading …"));
  renewInstance(true);
}

function noInstance() {
  opened = timeline = null;
  document.getElementById("detail").replaceChildren(el("div", { class: "empty" }, "Choose an instance to see its run, or create one."));
}

// At most one question is under way, and one more is asked after it if something changed meanwhile.
async function renewInstance(isFirst = false) {
  const mine = opened;
  if (mine === null) return;
  if (mine.asking) {
    mine.again = true;
    return;
  }
  mine.asking = true;
  try {
    const run = await ask("instance", mine.meant);
    mine.isUnanswered = false;
    if (isFirst || hasNewFiles(run)) Object.assign(data.sources, await ask("sources", mine.meant));
    if (opened === mine) drawInstance(mine, run, isFirst);
  } catch (error) {
    mine.isUnanswered = error.status !== 404;
    if (opened === mine) drawMissing(mine, error);
  } finally {
    mine.asking = false;
  }
  if (mine.again && opened === mine) {
    mine.again = false;
    setTimeout(renewInstance, 300);
  }
}

function filesOf(run) {
  const places = [...(run.steps || []), ...(run.effects || []), ...(run.findings || [])].map((one) => one.place?.file);
  return [...new Set([run.file, ...places].filter(Boolean))];
}

const askedFiles = new Set();

function hasNewFiles(run) {
  const fresh = filesOf(run).filter((file) => !(file in data.sources) && !askedFiles.has(file));
  for (const file of fresh) askedFiles.add(file);
  return fresh.length > 0;
}

function drawMissing(mine, error) {
  const line = lines.get(mine.key);
  const isGone = error.status === 404;
  if (mine.run !== null && (line || !isGone)) return; // the server is away for now: what was seen stays
  document.getElementById("detail").replaceChildren(
    el("div", { class: "title" }, el("h2", { tabindex: "-1", id: "detail-title" }, mine.meant.workflow, " ", el("code", null, mine.meant.id)),
      el("span", { class: "fill" }), el("button", { type: "button", onclick: closeInstance }, "Close")),
    el("p", { class: "empty" }, mine.run === null ? error.message : "This instance is deleted."));
  mine.run = null;
  mine.parts.clear();
  timeline = null;
}

function drawInstance(mine, run, isFirst) {
  const place = document.getElementById("detail");
  const isNew = mine.run === null || timeline === null;
  mine.run = run;
  if (isNew) {
    mine.parts.clear();
    timeline = new Timeline(run, (step) => stepDetail(opened.run, step));
    place.replaceChildren(...PARTS.map(([name]) => {
      const box = el("div", { "data-part": name });
      mine.parts.set(name, { box, said: "" });
      return box;
    }));
  } else timeline.renew(run);
  if (overview?.is_live) timeline.buttons.virtual.textContent = "By the clock"; // known only once the server has said so
  for (const [name, about, make] of PARTS) {
    const part = mine.parts.get(name);
    const said = JSON.stringify(about(run) ?? null);
    if (said === part.said) continue;
    part.said = said;
    keepFocus(part.box, () => part.box.replaceChildren(...[make(run, mine.meant)].flat().filter(Boolean)));
  }
  if (isFirst) {
    say(`${mine.meant.workflow} ${mine.meant.id}: ${run.status}`);
    drawRows();
    if (matchMedia("(max-width: 980px)").matches) reveal(place);
  }
}

// A button that is drawn anew keeps the focus, by what is written on it.
function keepFocus(box, draw) {
  const focused = box.contains(document.activeElement) ? document.activeElement.textContent : null;
  draw();
  if (focused !== null) [...box.querySelectorAll("button, a, summary")].find((one) => one.textContent === focused)?.focus({ preventScroll: true });
}

function divergencesOf(run) {
  return (overview?.divergences || []).filter((one) => one.id === run.instance_id && one.workflow === opened.meant.workflow);
}

function waitsOf(run) {
  return FINAL.has(run.status) ? [] : (run.steps || []).filter((step) => step.status === "waiting");
}

const PARTS = [
  ["head", (run) => [run.status, waitsOf(run).map((step) => step.event_type), (run.steps || []).length], headOf],
  ["facts", (run) => [run.created_at, run.ended_at, run.lives, run.trigger, run.real_ms === null, !run.ended_at && Math.floor(nowMs() / 1000)], factsOf],
  ["error", (run) => [run.error, run.traceback, Object.keys(data.sources).length], (run) => (run.error ? errorBox(run.error, run.traceback, null) : null)],
  ["divergences", (run) => divergencesOf(run), (run) => section("It has gone another way", divergencesOf(run).map((one) => divergenceBox(one, false)))],
  ["waits", (run) => [run.status, waitsOf(run)], waitsBox],
  ["timeline", (run) => (run.steps || []).length > 0, (run) => el("section", null, el("h3", null, "Timeline"), timeline.tools,
    (run.steps || []).length ? timeline.element : el("div", { class: "empty" }, "No step has started."))],
  ["values", (run) => [run.params, run.output, run.status], (run) => section("Params and output", el("div", { class: "panes" },
    pane("Params", run.params ?? null), run.status === "complete" ? pane("Output", run.output ?? null) : null))],
  ["findings", (run) => [run.findings, Object.keys(data.sources).length], (run) => section("Findings", (run.findings || []).map(findingBox))],
  ["events", (run) => run.events, (run) => section("Events", eventsTable(run, moment(run.created_at)))],
  ["crashes", (run) => run.crashes, (run) => section("Recovered", (run.crashes || []).map((crash) => el("div", { class: "soft" },
    `${when(crash.at)}: ${crash.step ? `while ${crash.step} ran its attempt ${crash.attempt ?? "?"}` : crash.after ? `after ${crash.after}` : "before any step"}`)))],
  ["bindings", (run) => (run.effects || []).map((effect) => [effect.service, effect.method]), (run) => section("Bindings it touched", touched(run))],
  ["calls", (run) => (run.effects || []).filter((effect) => !effect.step), (run) => section("Calls outside of steps", outsideCalls(run))],
  ["log", (run) => run.log, (run) => section("Printed and logged outside of steps", logOf(run.log || []))],
  ["uses", (run) => run.uses, (run) => section("Used of the platform's limits", (run.uses || []).length ? usesTable(run.uses) : null)],
  ["notes", (run) => run.notes, (run) => section("Not known", (run.notes || []).map((note) => el("div", { class: "soft" }, note)))],
];

function headOf(run, meant) {
  const isFinal = FINAL.has(run.status);
  const isPaused = ["paused", "waitingForPause"].includes(run.status);
  const act = (path, done) => [() => tell(path, meant).then((result) => (renewInstance(), result)), done];
  return [
    el("div", { class: "title" }, el("h2", { tabindex: "-1", id: "detail-title" }, meant.workflow, " ", el("code", null, meant.id)), badge(run.status),
      el("span", { class: "fill" }), el("button", { type: "button", onclick: closeInstance, title: "Close (Esc)" }, "Close")),
    el("div", { class: "actions", role: "group", "aria-label": "Actions" },
      isFinal ? null : el("button", { type: "button", title: "Send an event (e)", onclick: () => eventDialog(opened.run, meant) }, "Send event"),
      isFinal || isPaused ? null : actButton("Pause", "Pause once no step runs", ...act("pause", `${meant.id} is to pause.`)),
      isPaused ? actButton("Resume", "Let it go on", ...act("resume", `${meant.id} goes on.`)) : null,
      el("button", { type: "button", title: "Run it again, from the top or from a step", onclick: () => restartDialog(opened.run, meant) }, "Restart"),
      isFinal ? null : el("button", { type: "button", class: "grave", title: "End it now", onclick: () => sureDialog(`Terminate ${meant.id}?`,
        "It ends now. What it has done stays done; it can be restarted.", "Terminate", () => tell("terminate", meant), () => toast(`${meant.id} is terminated.`)) }, "Terminate"),
      el("button", { type: "button", class: "grave", title: "Delete it and all that is stored of it", onclick: () => sureDialog(`Delete ${meant.id}?`,
        "The instance and everything that is stored of it are gone then.", "Delete", () => tell("delete", meant), () => {
          toast(`${meant.id} is deleted.`);
          closeInstance();
        }) }, "Delete"),
      actButton("Write a test", "Write a test that goes the way of this instance", () => ask("test", meant).then(testDialog))),
  ];
}

function factsOf(run) {
  const start = moment(run.created_at);
  const end = run.ended_at ? moment(run.ended_at) : nowMs();
  const by = run.trigger?.cron ? `cron ${run.trigger.cron}` : null;
  return facts([["created", when(run.created_at)], ["ended", run.ended_at ? when(run.ended_at) : null], ["took", took(Math.max(0, Math.round(end - start)))],
    ["real time", run.real_ms === null || run.real_ms === undefined || !run.ended_at ? null : took(run.real_ms)], ["started by", by],
    ["executions", (run.lives || 1) > 1 ? String(run.lives) : null], ["class", run.class_name], ["source", run.file]]);
}

// What it waits for, with what can be done about it.
function waitsBox(run, meant) {
  const waits = waitsOf(run);
  if (!waits.length) return null;
  return el("section", { class: "waits", "aria-label": "It waits" }, el("h3", null, run.status === "paused" ? "It waits, once it is resumed" : "It waits"),
    el("ul", null, waits.map((step) => el("li", null, el("span", { class: "words" }, el("b", null, step.name), ` ${waitText(step)}`), run.status === "paused" ? null : waitButtons(run, meant, step)))));
}

function waitText(step) {
  const start = moment(step.started_at);
  if (step.kind === "sleep") return `sleeps until ${when(new Date(start + step.duration_ms).toISOString())}`;
  if (step.kind === "wait_for_event") {
    const until = typeof step.timeout_ms === "number" ? `, until ${when(new Date(start + step.timeout_ms).toISOString())}` : "";
    return `waits for the event ${step.event_type ?? ""}${until}`;
  }
  const last = step.attempts.at(-1);
  const due = last?.ended_at && last.retry_delay_ms ? ` at ${when(new Date(moment(last.ended_at) + last.retry_delay_ms).toISOString())}` : "";
  return `tries again${due}, after ${last?.error ? shortly(last.error.message) : "a failed attempt"}`;
}

function waitButtons(run, meant, step) {
  const body = { ...meant, name: step.name, count: step.count || 1, duration: step.kind === "sleep" ? step.duration_ms : undefined };
  const now = (path, text, title, done) => actButton(text, title, () => tell(`time/${path}`, body).then(() => renewInstance()), done);
  if (step.kind === "sleep") return now("skip", "Skip this sleep", "Let it be over", `${step.name} is over.`);
  if (step.kind === "do") return now("retry", "Retry now", "Let the next attempt begin", `${step.name} is tried again.`);
  return el("span", { class: "actions" },
    el("button", { type: "button", onclick: () => eventDialog(opened.run, meant, step.event_type) }, `Send ${step.event_type}`),
    now("timeout", "Let it time out", "Let the wait time out now", `${step.name} has timed out.`));
}

function touched(run) {
  const found = new Map();
  for (const effect of run.effects || []) {
    const calls = found.get(effect.service) || new Map();
    calls.set(effect.method, (calls.get(effect.method) || 0) + 1);
    found.set(effect.service, calls);
  }
  if (!found.size) return null;
  return el("ul", { class: "touched" }, [...found].map(([service, calls]) => el("li", null, el("b", null, service), " ",
    [...calls].map(([method, count]) => el("code", null, `${method}${count > 1 ? ` × ${count}` : ""} `)))));
}

function closeInstance() {
  go("#/instances");
  document.getElementById("list").focus({ preventScroll: true });
}

// Bars that are still open grow, and what is printed meanwhile is asked for, while an instance is under way.
function startDetail() {
  let ticks = 0;
  setInterval(() => {
    if (document.hidden || opened === null) return;
    if (opened.run === null) {
      if (opened.isUnanswered && isLinked && ++ticks % 3 === 0) renewInstance(); // its line need not change for that
      return;
    }
    if (FINAL.has(opened.run.status) || timeline === null) return;
    if (++ticks % 3 === 0) renewInstance();
    else if (overview?.is_live) {
      opened.run.recorded_at = new Date(nowMs()).toISOString();
      drawInstance(opened, opened.run, false);
    }
  }, 1000);
}
