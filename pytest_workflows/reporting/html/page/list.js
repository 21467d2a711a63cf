// The tests and their instances: filtered, searched, and only the rows in sight drawn.

const ROW = 38;
const SPARE = 8;
const filter = { text: "", workflow: "", flags: new Set(), statuses: new Set(), pill: null };
const chips = [];
const FLAGS = {
  failed: ["in failing tests", (row) => data.tests[row.test].outcome !== "passed"],
  passed: ["in passing tests", (row) => data.tests[row.test].outcome === "passed"],
  retries: ["retried", (row) => row.retries > 0],
  findings: ["findings", (row) => row.findings > 0],
  crashes: ["crashed", (row) => row.crashes > 0],
};
let rows = [];
let active = -1;

function fits(row, index) {
  if (filter.workflow && row.workflow !== filter.workflow) return false;
  if (filter.statuses.size && !filter.statuses.has(row.status)) return false;
  if (filter.pill !== null && !filter.pill.rows.has(index)) return false;
  for (const flag of filter.flags) if (!FLAGS[flag][1](row)) return false;
  return holds(row.text);
}

function holds(text) {
  return filter.text.split(/\s+/).every((word) => text.includes(word));
}

// A test that failed before it created an instance has a row of its own.
function fitsAlone(test) {
  if (filter.workflow || filter.statuses.size || filter.pill !== null) return false;
  const { id, outcome, failure } = data.tests[test];
  return [...filter.flags].every((flag) => flag === outcome) && holds(`${id} ${failure?.sentence || ""}`.toLowerCase());
}

function byTest() {
  const found = data.tests.map(() => []);
  data.instances.forEach((row, index) => found[row.test].push(index));
  return found;
}
const instancesOf = byTest();

function isChoice(row) {
  return row !== undefined && (row.index !== undefined || row.alone);
}

function addressOf(row) {
  return row.index === undefined ? `#/tests/${row.test}` : `#/runs/${row.index}`;
}

function makeRows() {
  const kept = rows[active];
  rows = [];
  let count = 0;
  instancesOf.forEach((mine, test) => {
    const found = mine.filter((index) => fits(data.instances[index], index));
    const alone = !mine.length && fitsAlone(test);
    if (found.length || alone) rows.push({ test, alone });
    rows.push(...found.map((index) => ({ index })));
    count += found.length;
  });
  active = isChoice(kept) ? rows.findIndex((row) => isChoice(row) && addressOf(row) === addressOf(kept)) : -1;
  document.getElementById("count").textContent = count === data.instances.length
    ? `${count} instance${count === 1 ? "" : "s"}` : `${count} of ${data.instances.length} instances`;
  document.getElementById("none").classList.toggle("hidden", rows.length > 0);
  document.querySelector("#list .sizer").style.height = `${rows.length * ROW}px`;
  drawRows();
}

function drawRows() {
  const list = document.getElementById("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + SPARE);
  const drawn = [];
  for (let at = first; at < last; at++) drawn.push(drawRow(at));
  list.querySelector(".sizer").replaceChildren(...drawn);
  if (active >= first && active < last) list.setAttribute("aria-activedescendant", idOf(rows[active]));
  else list.removeAttribute("aria-activedescendant");
}

function idOf(row) {
  return row.index === undefined ? `test-${row.test}` : `row-${row.index}`;
}

function drawRow(at) {
  const style = { top: `${at * ROW}px` };
  const choice = { role: "option", "aria-posinset": at + 1, "aria-setsize": rows.length };
  const shade = at === active ? " active" : "";
  if (rows[at].test !== undefined) {
    const number = rows[at].test;
    const test = data.tests[number];
    const [file, ...names] = test.id.split("::");
    return el("div", {
      ...(rows[at].alone ? { ...choice, "aria-selected": String(openedTest === number) } : { role: "presentation" }),
      class: `row test${shade}`, style, title: test.id, id: `test-${number}`, "data-address": addressOf(rows[at]),
    },
      el("span", { class: `dot ${test.outcome}`, title: test.outcome }), el("span", { class: "id" }, names.join(" › ") || file),
      el("span", { class: "file" }, names.length ? file.split("/").pop() : ""));
  }
  const index = rows[at].index;
  const row = data.instances[index];
  return el("div", {
    ...choice, class: `row${shade}`, id: `row-${index}`, style, "data-address": addressOf(rows[at]), "aria-selected": String(index === opened),
    title: `${row.workflow} ${row.id}: ${row.status}`,
  }, el("span", { class: `dot ${row.status}` }), el("span", { class: "id" }, el("b", null, row.workflow), ` ${row.id}`),
  row.findings ? badge("finding plain", `${row.findings} ⚑`) : null, row.crashes ? badge("crash plain", `${row.crashes} ↯`) : null,
  row.retries ? badge("plain", `${row.retries} ↻`) : null, badge(`${row.status} plain`, row.status), el("span", { class: "took" }, took(row.virtual)));
}

function moveTo(at, direction) {
  let next = Math.max(0, Math.min(rows.length - 1, at));
  while (rows[next] && !isChoice(rows[next])) next += direction;
  if (next < 0 || !rows[next]) next = direction > 0 ? rows.findLastIndex(isChoice) : rows.findIndex(isChoice);
  active = next;
  const list = document.getElementById("list");
  const top = active * ROW;
  if (top - ROW < list.scrollTop) list.scrollTop = top - ROW;
  else if (top + 2 * ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + 2 * ROW - list.clientHeight;
  drawRows();
}

function chip(text, pressed, toggle) {
  const button = el("button", { type: "button" }, text);
  const show = () => button.setAttribute("aria-pressed", String(pressed()));
  button.addEventListener("click", () => {
    toggle();
    filterAnew();
  });
  chips.push(show);
  return button;
}

function filterAnew() {
  for (const show of chips) show();
  const chosen = filter.pill === null ? [] : [el("button", {
    type: "button", "aria-pressed": "true", title: "Show all again", onclick: () => {
      filter.pill = null;
      filterAnew();
    } }, `${filter.pill.text} ✕`)];
  document.getElementById("chosen").replaceChildren(...chosen);
  makeRows();
}

// What a pill elsewhere on the page asks for, and nothing that was chosen before.
function filterBy({ flag = "", pill = null }) {
  filter.flags = new Set(flag ? [flag] : []);
  filter.statuses = new Set();
  filter.text = filter.workflow = "";
  filter.pill = pill === null ? null : { text: data.pills[pill].text, rows: new Set(data.pills[pill].rows) };
  document.getElementById("search").value = document.getElementById("workflow").value = "";
  filterAnew();
  document.getElementById("list").scrollTop = 0;
  go("#/runs");
  reveal(document.getElementById("runs"));
  document.getElementById("list").focus({ preventScroll: true });
}

function toggle(kind, name) {
  return () => (filter[kind].has(name) ? filter[kind].delete(name) : filter[kind].add(name));
}

function startList() {
  const statuses = new Map();
  for (const row of data.instances) statuses.set(row.status, (statuses.get(row.status) || 0) + 1);
  document.getElementById("chips").append(
    ...[...statuses].map(([status, count]) => chip(`${status} ${count}`, () => filter.statuses.has(status), toggle("statuses", status))),
    ...Object.entries(FLAGS).map(([name, [text, test]]) => [name, text, data.instances.filter(test).length])
      .filter(([name, , count]) => count && (name !== "passed" || count < data.instances.length)).map(([name, text, count]) => chip(`${text} ${count}`, () => filter.flags.has(name), toggle("flags", name))));
  const select = document.getElementById("workflow");
  select.append(...[...new Set(data.instances.map((row) => row.workflow))].map((name) => el("option", { value: name }, name)));
  select.addEventListener("change", () => {
    filter.workflow = select.value;
    makeRows();
  });
  document.getElementById("search").addEventListener("input", (event) => {
    filter.text = event.target.value.toLowerCase().trim();
    makeRows();
  });
  const list = document.getElementById("list");
  list.addEventListener("scroll", () => requestAnimationFrame(drawRows), { passive: true });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-address]");
    if (row !== null) go(row.dataset.address);
  });
  document.addEventListener("click", (event) => {
    const pill = event.target.closest("[data-pill], [data-flag]");
    if (pill === null) return;
    const { pill: number, flag } = pill.dataset;
    filterBy({ flag, pill: number === undefined ? null : Number(number) });
  });
  new ResizeObserver(drawRows).observe(list);
  filterAnew();
}
