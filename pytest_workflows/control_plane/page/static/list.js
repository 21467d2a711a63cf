// The list of instances: filtered, searched, the newest first, and only the rows in sight drawn.

const ROW = 46;
const SPARE = 8;
const filter = { text: "", workflow: "", statuses: new Set() };
const drawn = new Map();
let rows = [];
let active = null;

function textOf(line) {
  line.text ??= `${line.workflow} ${line.id} ${line.status} ${line.at || ""} ${line.error || ""}`.toLowerCase();
  return line.text;
}

function fits(line) {
  if (filter.workflow && line.workflow !== filter.workflow) return false;
  if (filter.statuses.size && !filter.statuses.has(line.status)) return false;
  return filter.text.split(/\s+/).every((word) => textOf(line).includes(word));
}

// The rows anew; what stood at the top of the sight stays there, unless that is the very top.
function makeRows() {
  const list = document.getElementById("list");
  const first = Math.floor(list.scrollTop / ROW);
  const held = list.scrollTop > 0 ? rows[first]?.key : undefined;
  rows = [...lines.values()].filter(fits).sort((one, other) => other.created - one.created || (other.key < one.key ? -1 : 1));
  document.querySelector("#list .sizer").style.setProperty("height", `${rows.length * ROW}px`);
  const at = held === undefined ? -1 : rows.findIndex((line) => line.key === held);
  if (at >= 0 && at !== first) list.scrollTop += (at - first) * ROW;
  document.getElementById("none").classList.toggle("hidden", rows.length > 0);
  document.getElementById("none").textContent = lines.size ? "Nothing fits." : "No instance yet. Create one, or let the Worker do so.";
  const all = sum(countByStatus(""));
  document.getElementById("count").textContent = rows.length === all ? countOf(all, "instance") : `${rows.length.toLocaleString("en-US")} of ${all.toLocaleString("en-US")}`;
  drawRows();
}

// Only what changed is touched: a row that is pressed just now stays the same element.
function drawRows() {
  const list = document.getElementById("list");
  const from = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
  const to = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + SPARE);
  const wanted = new Set();
  const sizer = list.querySelector(".sizer");
  for (let at = from; at < to; at++) {
    wanted.add(rows[at].key);
    const known = drawn.get(rows[at].key);
    const row = known || { element: el("div", { role: "option" }), said: "" };
    drawRow(row, rows[at], at);
    if (!known) {
      drawn.set(rows[at].key, row);
      sizer.append(row.element);
    }
  }
  for (const [key, row] of drawn) {
    if (wanted.has(key)) continue;
    row.element.remove();
    drawn.delete(key);
  }
  if (active !== null && wanted.has(active)) list.setAttribute("aria-activedescendant", drawn.get(active).element.id);
  else list.removeAttribute("aria-activedescendant");
}

let rowNumber = 0;

function drawRow(row, line, at) {
  const { element } = row;
  element.id ||= `row-${++rowNumber}`;
  element.style.setProperty("top", `${at * ROW}px`);
  element.className = `row two${line.key === active ? " active" : ""}`;
  element.setAttribute("aria-selected", String(line.key === opened?.key));
  element.setAttribute("aria-posinset", String(at + 1));
  element.setAttribute("aria-setsize", String(rows.length));
  const age = since(line.ended ?? line.created);
  const said = `${line.revision} ${age}`;
  if (row.said === said) return;
  row.said = said;
  element.dataset.key = line.key;
  element.title = `${line.workflow} ${line.id}: ${line.status}`;
  element.replaceChildren(...[
    el("span", { class: `dot ${line.status}` }),
    el("span", { class: "id" }, el("span", null, el("b", null, line.workflow), ` ${line.id}`),
      el("small", { class: "soft" }, line.error || (line.at ? `at ${line.at}` : countOf(line.steps, "step")))),
    line.retries ? badge("plain", `${line.retries} ↻`) : null,
    el("span", { class: "end" }, badge(`${line.status} plain`, line.status), el("small", { class: "took" }, age)),
  ].filter(Boolean));
}

function moveTo(at) {
  if (!rows.length) return;
  const next = Math.max(0, Math.min(rows.length - 1, at));
  active = rows[next].key;
  const list = document.getElementById("list");
  const top = next * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  drawRows();
}

function moveBy(by) {
  const at = rows.findIndex((line) => line.key === active);
  moveTo(at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by);
}

function openActive() {
  const line = lines.get(active);
  if (line) go(addressOf(line.workflow, line.id));
}

const shownChips = { said: "" };

function drawChips() {
  const counts = sortedStatuses(countByStatus(filter.workflow));
  for (const status of filter.statuses) if (!counts.some(([name]) => name === status)) counts.push([status, 0]);
  const said = JSON.stringify([counts, [...filter.statuses]]);
  if (said === shownChips.said) return;
  shownChips.said = said;
  const place = document.getElementById("chips");
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.status : null;
  place.replaceChildren(...counts.map(([status, count]) => el("button", {
    type: "button", "aria-pressed": String(filter.statuses.has(status)), "data-status": status,
    onclick: () => {
      if (!filter.statuses.delete(status)) filter.statuses.add(status);
      filterAnew();
    },
  }, `${status} ${count.toLocaleString("en-US")}`)));
  if (focused !== null) [...place.children].find((chip) => chip.dataset.status === focused)?.focus();
}

function drawSelect() {
  const select = document.getElementById("workflow");
  const names = (overview?.workflows || []).map((one) => one.binding);
  const shownNames = [...select.options].slice(1).map((option) => option.value);
  if (names.join("\n") === shownNames.join("\n")) return;
  select.replaceChildren(el("option", { value: "" }, "All workflows"), ...names.map((name) => el("option", { value: name }, name)));
  select.value = filter.workflow;
}

function filterAnew() {
  drawChips();
  makeRows();
  searchBeyond();
}

// What a badge elsewhere on the page asks for, and nothing that was chosen before.
function filterBy(workflow, status) {
  filter.text = "";
  filter.workflow = workflow;
  filter.statuses = new Set(status ? [status] : []);
  document.getElementById("search").value = "";
  document.getElementById("workflow").value = workflow;
  document.getElementById("list").scrollTop = 0;
  go("#/instances");
  filterAnew();
  document.getElementById("list").focus({ preventScroll: true });
}

let searching = null;

// The page has the newest instances only, where there are many: the server is asked for the others that fit.
function searchBeyond() {
  clearTimeout(searching);
  if (lines.size >= sum(countByStatus("")) || !(filter.text || filter.workflow || filter.statuses.size)) return;
  searching = setTimeout(async () => {
    const [status] = filter.statuses.size === 1 ? filter.statuses : [];
    try {
      for (const line of await ask("instances", { search: filter.text, workflow: filter.workflow, status })) takeLine(line);
      makeRows();
    } catch {
      // The banner says that the server does not answer.
    }
  }, 250);
}

function takeLine(line) {
  line.key = keyOf(line.workflow, line.id);
  if (lines.get(line.key)?.revision > line.revision) return; // what a search found may come after newer news
  lines.set(line.key, line);
}

function startList() {
  const list = document.getElementById("list");
  document.getElementById("workflow").addEventListener("change", (event) => {
    filter.workflow = event.target.value;
    filterAnew();
  });
  document.getElementById("search").addEventListener("input", (event) => {
    filter.text = event.target.value.toLowerCase().trim();
    filterAnew();
  });
  list.addEventListener("scroll", () => requestAnimationFrame(drawRows), { passive: true });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-key]");
    if (row === null) return;
    active = row.dataset.key;
    openActive();
  });
  new ResizeObserver(drawRows).observe(list);
  setInterval(() => document.hidden || drawRows(), 5000);
}
