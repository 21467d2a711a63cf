// One instance, opened.

let timeline = null;

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

function noInstance() {
  timeline = null;
  document.getElementById("detail").replaceChildren(el("div", { class: "empty" },
    data.instances.length ? "Choose an instance to see its run." : "No test created an instance."));
}
