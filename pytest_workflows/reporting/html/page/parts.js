// The parts of an instance: its steps, calls, events, findings, what it used.

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
