// The tests and their instances: filtered, searched, and only the rows in sight drawn.

const ROW = 38;
const SPARE = 8;
const filter = { text: "", workflow: "", flags: new Set(), statuses: new Set() };
const FLAGS = {
  failed: ["in failing tests", (row) => data.tests[row.test].outcome !== "passed"],
  retries: ["retried", (row) => row.retries > 0],
  findings: ["findings", (row) => row.findings > 0],
  crashes: ["crashed", (row) => row.crashes > 0],
};
let rows = [];
let active = -1;

function fits(row) {
  if (filter.workflow && row.workflow !== filter.workflow) return false;
  if (filter.statuses.size && !filter.statuses.has(row.status)) return false;
  for (const flag of filter.flags) if (!FLAGS[flag][1](row)) return false;
  return filter.text.split(/\s+/).every((word) => row.text.includes(word));
}

function makeRows() {
  const kept = rows[active]?.index;
  rows = [];
  let test = null;
  let count = 0;
  data.instances.forEach((row, index) => {
    if (!fits(row)) return;
    if (row.test !== test) rows.push({ test: (test = row.test) });
    rows.push({ index });
    count += 1;
  });
  active = kept === undefined ? -1 : rows.findIndex((row) => row.index === kept);
  document.getElementById("count").textContent = count === data.instances.length
    ? `${count} instance${count === 1 ? "" : "s"}` : `${count} of ${data.instances.length} instances`;
  document.getElementById("none").classList.toggle("hidden", count > 0);
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
  if (active >= first && active < last) list.setAttribute("aria-activedescendant", `row-${rows[active].index}`);
  else list.removeAttribute("aria-activedescendant");
}

function drawRow(at) {
  const style = { top: `${at * ROW}px` };
  if (rows[at].test !== undefined) {
    const test = data.tests[rows[at].test];
    const [file, ...names] = test.id.split("::");
    return el("div", { class: "row test", role: "presentation", style, title: test.id },
      el("span", { class: `dot ${test.outcome}`, title: test.outcome }), el("span", { class: "id" }, names.join(" › ") || file),
      el("span", { class: "file" }, names.length ? file.split("/").pop() : ""));
  }
  const index = rows[at].index;
  const row = data.instances[index];
  return el("div", {
    class: `row${at === active ? " active" : ""}`, role: "option", id: `row-${index}`, style, "data-index": index,
    "aria-selected": String(index === opened), "aria-posinset": at + 1, "aria-setsize": rows.length,
    title: `${row.workflow} ${row.id}: ${row.status}`,
  }, el("span", { class: `dot ${row.status}` }), el("span", { class: "id" }, el("b", null, row.workflow), ` ${row.id}`),
  row.findings ? badge("finding plain", `${row.findings} ⚑`) : null, row.crashes ? badge("crash plain", `${row.crashes} ↯`) : null,
  row.retries ? badge("plain", `${row.retries} ↻`) : null, badge(`${row.status} plain`, row.status), el("span", { class: "took" }, took(row.virtual)));
}

function moveTo(at, direction) {
  let next = Math.max(0, Math.min(rows.length - 1, at));
  while (rows[next] && rows[next].test !== undefined) next += direction;
  if (next < 0 || !rows[next]) next = rows.findIndex((row) => row.index !== undefined);
  active = next;
  const list = document.getElementById("list");
  const top = active * ROW;
  if (top - ROW < list.scrollTop) list.scrollTop = top - ROW;
  else if (top + 2 * ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + 2 * ROW - list.clientHeight;
  drawRows();
}

function chip(text, pressed, toggle) {
  const button = el("button", { type: "button", "aria-pressed": String(pressed()) }, text);
  button.addEventListener("click", () => {
    toggle();
    button.setAttribute("aria-pressed", String(pressed()));
    makeRows();
  });
  return button;
}

function toggle(set, name) {
  return () => (set.has(name) ? set.delete(name) : set.add(name));
}

function startList() {
  const statuses = new Map();
  for (const row of data.instances) statuses.set(row.status, (statuses.get(row.status) || 0) + 1);
  document.getElementById("chips").append(
    ...[...statuses].map(([status, count]) => chip(`${status} ${count}`, () => filter.statuses.has(status), toggle(filter.statuses, status))),
    ...Object.entries(FLAGS).map(([name, [text, test]]) => [name, text, data.instances.filter(test).length])
      .filter(([, , count]) => count).map(([name, text, count]) => chip(`${text} ${count}`, () => filter.flags.has(name), toggle(filter.flags, name))));
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
    const row = event.target.closest("[data-index]");
    if (row !== null) go(`#/runs/${row.dataset.index}`);
  });
  new ResizeObserver(drawRows).observe(list);
}
