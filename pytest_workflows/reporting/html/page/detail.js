// One instance, opened.

let timeline = null;

function stepDetail(run, step) {
  const label = `${step.name}-${step.count || 1}`;
  const effects = (run.effects || []).filter((effect) => effect.step === label);
  const events = step.event !== undefined && step.event !== null ? [run.events[step.event]] : [];
  const ended = moment(step.ended_at);
  return el("div", { class: "more" },
    facts([
      ["started", when(step.started_at)],
      ["took", ended === null ? null : took(ended - moment(step.started_at))],
      ["sleeps", step.duration_ms === undefined ? null : took(step.duration_ms)],
      ["event", step.event_type],
      ["timeout", step.timeout_ms === undefined ? null : took(step.timeout_ms)],
      ["mocked", step.mocked ? "yes" : null],
      ["task", step.branch ? `task ${step.branch} of run` : null],
    ]),
    step.error ? errorBox(step.error, null, step.place) : null,
    (step.attempts || []).length ? attemptsTable(step) : null,
    el("div", { class: "panes" },
      Object.keys(step.inputs || {}).length ? pane("Input", step.inputs) : null,
      step.kind !== "sleep" && step.status !== "errored" && step.ended_at ? pane("Output", step.result ?? null) : null,
      step.config ? pane("Config", step.config) : null,
      events.map((event) => pane(`Event ${event.type}`, event.payload ?? null))),
    effects.length ? effectsTable(effects) : null,
    logOf((step.attempts || []).flatMap((attempt) => attempt.log || [])),
    !step.error && step.place ? sourceLines(step.place.file, step.place.line) : null);
}

function attemptsTable(step) {
  const error = (attempt) => attempt.lost ? "lost: the engine died while it ran" : attempt.error
    ? `${attempt.error.name}: ${shortly(attempt.error.message)}` : attempt.ended_at ? "succeeded" : "running";
  return el("table", { class: "attempts" },
    el("thead", null, el("tr", null, ["Attempt", "Started", "Outcome", "Retried after", "Real time"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", null, step.attempts.map((attempt) => el("tr", null,
      el("td", { class: "number" }, String(attempt.number)), el("td", null, when(attempt.started_at)),
      el("td", null, badge(attempt.error || attempt.lost ? "failed" : "passed", attempt.mocked ? "mocked" : "ran"), ` ${error(attempt)}`),
      el("td", null, attempt.retry_delay_ms ? took(attempt.retry_delay_ms) : "–"),
      el("td", { class: "number" }, typeof attempt.real_ms === "number" ? took(attempt.real_ms) : "–")))));
}

function effectsTable(effects) {
  return el("div", null, el("h4", null, "Calls"), el("table", null, el("tbody", null, effects.map((effect) => el("tr", null,
    el("td", null, el("code", null, `${effect.service}.${effect.method}`)),
    el("td", null, el("pre", null, callOf(effect))),
    el("td", { class: "soft mono" }, effect.place ? `${effect.place.file}:${effect.place.line}` : ""))))));
}

function callOf(effect) {
  const words = Object.entries(effect.kwargs || {}).map(([name, value]) => `${name}=${JSON.stringify(plain(value))}`);
  return [...(effect.args || []).map((value) => JSON.stringify(plain(value))), ...words].join(", ");
}

function logOf(lines) {
  if (!lines.length) return null;
  return el("div", { class: "pane" }, el("h4", null, "Printed and logged"), el("pre", { tabindex: "0" },
    lines.map((line) => `${line.level ? `${line.level} ` : ""}${line.text}`.trimEnd()).join("\n")));
}

function section(title, ...children) {
  const some = children.flat().filter(Boolean);
  return some.length ? el("section", null, el("h3", null, title), some) : null;
}

function openInstance(index) {
  const place = document.getElementById("detail");
  const row = data.instances[index];
  const run = recording(index);
  const test = data.tests[row.test];
  timeline = new Timeline(run, (step) => stepDetail(run, step));
  const start = moment(run.created_at);
  place.replaceChildren(
    el("div", { class: "title" }, el("h2", { tabindex: "-1", id: "detail-title" }, row.workflow, " ", el("code", null, run.instance_id)),
      badge(run.status), run.crashes?.length ? badge("crash", `${run.crashes.length} crash${run.crashes.length > 1 ? "es" : ""}`) : null,
      run.findings?.length ? badge("finding", `${run.findings.length} finding${run.findings.length > 1 ? "s" : ""}`) : null,
      el("span", { style: { flex: "1" } }), el("button", { type: "button", onclick: closeInstance, title: "Close (Esc)" }, "Close")),
    el("div", { class: "of soft" }, badge(test.outcome), " ", el("a", { href: `#/tests/${row.test}` }, el("code", null, test.id))),
    test.failure ? failureBox(row.test, index) : "",
    facts([["created", when(run.created_at)], ["virtual time", took(row.virtual)], ["real time", took(row.real)],
      ["executions", (run.lives || 1) > 1 ? String(run.lives) : null], ["class", run.class_name], ["source", run.file], ["worker", test.worker]]),
    run.error ? errorBox(run.error, run.traceback, null) : "",
    el("section", null, el("h3", null, "Timeline"), timeline.tools, (run.steps || []).length ? timeline.element : el("div", { class: "empty" }, "No step has started.")),
    ...[
      section("Used of the platform's limits", (run.uses || []).length ? usesTable(run.uses) : null),
      section("Findings", (run.findings || []).map(findingBox)),
      section("Params and output", el("div", { class: "panes" }, pane("Params", run.params ?? null), run.status === "complete" ? pane("Output", run.output ?? null) : null)),
      section("Events", eventsTable(run, start)),
      section("Crash points", (run.crashes || []).length ? el("table", null, el("tbody", null, run.crashes.map((crash) => el("tr", null,
        el("td", { class: "mono" }, `+${took(moment(crash.at) - start)}`),
        el("td", null, crash.step ? `while ${crash.step} ran its attempt ${crash.attempt ?? "?"}` : crash.after ? `after ${crash.after}` : "before any step"))))) : null),
      section("Modifications", (run.modifications || []).length ? el("table", null, el("tbody", null, run.modifications.map((one) => el("tr", null,
        el("td", null, el("code", null, one.call)), el("td", null, badge(one.used ? "passed" : "never", one.used ? "used" : "not used")))))) : null),
      section("Calls outside of steps", outsideCalls(run)),
      section("Outside of steps", logOf(run.log || [])),
      section("Not known", (run.notes || []).map((note) => el("div", { class: "soft" }, note))),
    ].filter(Boolean));
  say(`${row.workflow} ${row.id}: ${run.status}`);
  reveal(place);
}

function outsideCalls(run) {
  const effects = (run.effects || []).filter((effect) => !effect.step);
  return effects.length ? effectsTable(effects) : null;
}

function usesTable(uses) {
  return el("table", { class: "uses" },
    el("thead", null, el("tr", null, ["What", "Used", "Limit", "Part"].map((name, column) => el("th", { scope: "col", class: column % 3 ? "number" : "" }, name)))),
    el("tbody", null, uses.map((use) => {
      const part = use.limit ? use.used / use.limit : 0;
      const words = !use.limit ? "–" : part > 0 && part < 0.001 ? "under 0.1 %" : `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
      return el("tr", null,
        el("td", null, use.resource, use.unit === "ms" || use.resource === "memory" ? el("span", { class: "soft" }, " (of one step)") : ""),
        el("td", { class: "number" }, amount(use.used, use.unit)),
        el("td", { class: "number" }, use.limit ? amount(use.limit, use.unit) : "–"),
        el("td", { class: part > 1 ? "part over" : "part" }, words, el("span", { class: "share" }, el("span", { style: { width: `${Math.min(100, part * 100)}%` } }))));
    })));
}

function amount(number, unit) {
  const grouped = (value, digits) => value.toLocaleString("en-US", { maximumFractionDigits: digits });
  if (unit === "ms") return took(number);
  if (unit !== "bytes") return grouped(number, 0);
  for (const [name, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (number >= size) return `${grouped(number / size, 1)} ${name}`;
  return `${grouped(number, 0)} ${number === 1 ? "byte" : "bytes"}`;
}

function findingBox(finding) {
  const rule = data.rules[finding.rule];
  return el("div", { style: { "margin-bottom": "12px" } },
    el("div", null, badge("finding", finding.rule), ` ${finding.message}.`),
    rule ? el("div", { class: "soft" }, `In production: ${rule.consequence}. Instead: ${rule.remedy}.`) : null,
    sourceLines(finding.place.file, finding.place.line) || el("code", null, `${finding.place.file}:${finding.place.line}`));
}

function eventsTable(run, start) {
  if (!(run.events || []).length) return null;
  return el("table", null,
    el("thead", null, el("tr", null, ["Sent", "Type", "Payload", "Taken by"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", null, run.events.map((event) => el("tr", null,
      el("td", { class: "mono" }, event.sent_at ? `+${took(moment(event.sent_at) - start)}` : "–"),
      el("td", null, event.type, event.mocked ? el("span", { class: "soft" }, " (mocked)") : ""),
      el("td", null, el("pre", null, shown(event.payload ?? null))), el("td", null, event.taken_by || "nothing")))));
}

function noInstance() {
  timeline = null;
  document.getElementById("detail").replaceChildren(el("div", { class: "empty" },
    data.instances.length ? "Choose an instance to see its run." : "No test created an instance."));
}
