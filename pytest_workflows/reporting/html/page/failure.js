// A test that failed: what happened, how to run it again, its recordings; and the view of one test.

function firstInstance(test) {
  return data.instances.findIndex((row) => row.test === test);
}

function fileOf(test, index) {
  const files = data.tests[test].failure.recordings || [];
  return index === null ? undefined : files[index - firstInstance(test)];
}

function failureBox(number, index) {
  const failure = data.tests[number].failure;
  const own = fileOf(number, index);
  const files = own === undefined ? failure.recordings || [] : [own];
  return el("section", { class: "failure", "aria-label": "The test failed" },
    failure.sentence ? el("p", { class: "key" }, failure.sentence) : null,
    failure.command ? commandLine("Run it again", failure.command) : null,
    files.slice(0, MOST_FILES).map((file) => commandLine("Recording", file)),
    files.length > MOST_FILES ? el("p", { class: "soft" }, `... and ${files.length - MOST_FILES} more recordings beside them`) : null,
    files.length ? commandLine("Step through it", `pytest-workflows reproduce ${quoted(files[0])}`) : null,
    el("details", { open: index === null }, el("summary", null, "The test's failure"),
      el("pre", { class: "block", tabindex: "0" }, failure.text)));
}

const MOST_FILES = 10;

function quoted(path) {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}

function openTest(number) {
  timeline = null;
  const test = data.tests[number];
  const place = document.getElementById("detail");
  const mine = data.instances.flatMap((row, index) => (row.test === number ? [[row, index]] : []));
  place.replaceChildren(...[
    el("div", { class: "title" }, el("h2", { tabindex: "-1", id: "detail-title" }, el("code", null, test.id)), badge(test.outcome),
      el("span", { style: { flex: "1" } }), el("button", { type: "button", onclick: closeInstance, title: "Close (Esc)" }, "Close")),
    test.worker ? facts([["worker", test.worker]]) : null,
    test.failure ? failureBox(number, null) : null,
    mine.length
      ? section("Instances", el("ul", { class: "links" }, mine.map(([row, index]) => el("li", null,
        el("a", { href: `#/runs/${index}` }, `${row.workflow} ${row.id}`), " ", badge(row.status), " ", el("span", { class: "soft" }, took(row.virtual))))))
      : el("p", { class: "soft" }, "It created no instance."),
  ].filter(Boolean));
  say(`${test.id}: ${test.outcome}`);
  reveal(place);
}
