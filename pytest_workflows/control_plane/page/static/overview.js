// Workflows, numbers, versions, and what stands above all views.

function drawWorkflows() {
  const place = document.getElementById("workflows");
  const said = JSON.stringify(overview?.workflows);
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  keepFocus(place, () => place.replaceChildren(...(overview?.workflows || []).map(workflowCard)));
  if (!overview?.workflows.length) place.replaceChildren(el("p", { class: "empty" }, "The configuration names no workflow."));
}

const openGraphs = new Set();

// Drawn anew with another version, and when instances have become many more: not with each of them.
function graphAddress(one) {
  const news = `${overview.versions.length}.${Math.round(Math.log2(sum(one.statuses) + 1))}`;
  return `/__workflows/api/graph?${new URLSearchParams({ workflow: one.binding, news })}`;
}

function workflowCard(one) {
  const counts = sortedStatuses(one.statuses);
  return el("article", { class: "card" },
    el("header", null, el("h2", null, one.binding), el("span", { class: "mono" }, [one.class_name, one.name === one.binding ? null : one.name].filter(Boolean).join(", ")),
      el("span", { class: "fill" }), el("button", { type: "button", onclick: () => createDialog(one.binding) }, `Create in ${one.binding}`)),
    counts.length ? el("div", { class: "bar", role: "img", "aria-label": counts.map(([status, count]) => `${count} ${status}`).join(", ") },
      counts.map(([status, count]) => el("span", { class: status, style: { flex: String(count) }, title: `${count} ${status}` }))) : null,
    el("div", { class: "body-of-store" }, facts([
      ["instances", el("span", null, `${sum(one.statuses).toLocaleString("en-US")} `, counts.map(([status, count]) => [el("button", {
        type: "button", class: `badge ${status}`, title: "Show them", onclick: () => filterBy(one.binding, status) }, `${count.toLocaleString("en-US")} ${status}`), " "]))],
      ["at a time", one.concurrency === null ? null : String(one.concurrency)]]),
    el("details", { class: "steps-of", open: openGraphs.has(one.binding), ontoggle: (event) => openGraphs[event.target.open ? "add" : "delete"](one.binding) },
      el("summary", null, "Steps"), el("div", { class: "graph", tabindex: "0", role: "region", "aria-label": `Steps of ${one.binding}` }, el("img", {
        loading: "lazy", alt: `The steps of ${one.binding}, and how often its newest instances took each`, src: graphAddress(one) })))));
}

const numbers = { by: "day", found: null, asked: 0 };

async function renewNumbers() {
  const number = ++numbers.asked;
  try {
    const found = await ask("numbers", { by: numbers.by });
    if (number !== numbers.asked) return;
    numbers.found = found;
    drawNumbers();
  } catch (error) {
    if (numbers.found === null) document.getElementById("numbers").replaceChildren(el("p", { class: "empty" }, error.message));
  }
}

function drawNumbers() {
  const place = document.getElementById("numbers");
  const { found } = numbers;
  if (found === null) return;
  const said = JSON.stringify({ ...found, now: 0 });
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  const { total } = found;
  keepFocus(place, () => place.replaceChildren(
    el("article", { class: "card" }, el("header", null, el("h2", null, "All instances")), el("div", { class: "body-of-store" }, facts([
      ["instances", el("span", null, `${total.instances.toLocaleString("en-US")} `, sortedStatuses(total.statuses).map(([status, count]) => [badge(status, `${count.toLocaleString("en-US")} ${status}`), " "]))],
      ["by the clock", el("span", null, took(total.virtual.median), el("small", null, ` median, longest ${took(total.virtual.longest)}`))],
      ["real time", total.wall.count ? el("span", null, took(total.wall.median), el("small", null, ` median, longest ${took(total.wall.longest)}`)) : null],
      ["worked", took(total.working_ms)], ["steps", total.steps.toLocaleString("en-US")], ["retries", total.retries.toLocaleString("en-US")]]))),
    el("article", { class: "card" }, el("header", null, el("h2", null, `By ${found.by}`), el("span", { class: "fill" }), el("div", { class: "segmented", role: "group", "aria-label": "By" },
      ["day", "hour", "workflow"].map((by) => el("button", { type: "button", "aria-pressed": String(by === numbers.by), onclick: () => {
        numbers.by = by;
        renewNumbers();
      } }, by)))), partsTable(found)),
    el("article", { class: "card" }, el("header", null, el("h2", null, "Slowest steps"), el("span", { class: "soft" }, "by the time of their attempts")), stepsTable(found.slowest, "working")),
    el("article", { class: "card" }, el("header", null, el("h2", null, "Longest steps"), el("span", { class: "soft" }, "from start to end, waits included")), stepsTable(found.longest, "virtual"))));
}

function tableOf(label, heads, body) {
  return el("div", { class: "wide body-of-store", tabindex: "0", role: "region", "aria-label": label }, el("table", null,
    el("thead", null, el("tr", null, heads.map(([name, isNumber]) => el("th", { scope: "col", class: isNumber ? "number" : null }, name)))), el("tbody", null, body)));
}

function partsTable(found) {
  if (!found.parts.length) return el("p", { class: "empty" }, "No instance yet.");
  const most = Math.max(...found.parts.map((part) => part.instances));
  return tableOf(`By ${found.by}`, [[found.by], ["Instances", true], ["Statuses"], ["By the clock", true], ["Real time", true], ["Worked", true], ["Retries", true]],
    [...found.parts].reverse().map((part) => el("tr", null, el("td", null, part.name), el("td", { class: "number" }, part.instances.toLocaleString("en-US")),
      el("td", { class: "bars" }, el("div", { class: "bar", style: { width: `${Math.max(4, (part.instances / most) * 100)}%` }, role: "img", "aria-label": Object.entries(part.statuses).map(([status, count]) => `${count} ${status}`).join(", ") },
        sortedStatuses(part.statuses).map(([status, count]) => el("span", { class: status, style: { flex: String(count) }, title: `${count} ${status}` })))),
      el("td", { class: "number" }, took(part.virtual.median)), el("td", { class: "number" }, part.wall.count ? took(part.wall.median) : "–"),
      el("td", { class: "number" }, took(part.working_ms)), el("td", { class: "number" }, String(part.retries)))));
}

function stepsTable(steps, what) {
  if (!steps.length) return el("p", { class: "empty" }, "No step has taken any time.");
  return tableOf("Steps", [["Step"], ["Workflow"], ["Runs", true], ["Failed", true], ["Retries", true], ["Median", true], ["Longest", true], ["Together", true]],
    steps.map((step) => el("tr", null, el("td", { class: "name" }, step.name, " ", step.kind === "do" ? null : el("span", { class: "kind" }, kinds[step.kind])), el("td", null, step.workflow),
      [step.runs, step.failed, step.retries].map((count) => el("td", { class: "number" }, count.toLocaleString("en-US"))),
      [step[what].median, step[what].longest, step[what].total].map((ms) => el("td", { class: "number" }, took(ms))))));
}

function drawVersions() {
  const place = document.getElementById("versions");
  const said = JSON.stringify([overview?.versions, overview?.divergences]);
  if (place.dataset.said === said || overview === null) return;
  place.dataset.said = said;
  const running = overview.versions.findLast((one) => one.problem === null);
  place.replaceChildren(
    el("article", { class: "card" }, el("header", null, el("h2", null, "Versions of the source"), el("span", { class: "soft" }, "Each change of it is one; instances in flight go on with the newest.")),
      overview.versions.length ? tableOf("Versions", [["Version"], ["Deployed"], ["State"], ["Id"]], [...overview.versions].reverse().map((one) => el("tr", null,
        el("td", null, el("b", null, String(one.number))), el("td", null, when(new Date(one.created_at).toISOString())),
        el("td", null, one.problem === null ? badge(one === running ? "complete" : "never", one === running ? "runs" : "replaced") : [badge("failed", "cannot be used"), el("pre", { class: "block" }, one.problem)]),
        el("td", null, el("code", { class: "soft" }, one.id))))) : el("p", { class: "empty" }, "Nothing is known of versions.")),
    el("article", { class: "card" }, el("header", null, el("h2", null, "Divergences"), el("span", { class: "soft" }, "Instances that went another way with a newer version.")),
      overview.divergences.length ? el("div", { class: "body-of-store" }, [...overview.divergences].reverse().map((one) => divergenceBox(one, true)))
        : el("p", { class: "empty" }, "No instance has gone another way.")));
}

function divergenceBox(one, isLinked) {
  return el("section", { class: "place" },
    el("h3", null, isLinked ? [el("a", { href: addressOf(one.workflow, one.id) }, `${one.workflow} ${one.id}`), " "] : null,
      el("span", { class: "soft" }, `${isLinked ? "with" : "With"} version ${one.version}, ${when(new Date(one.at).toISOString())}`)),
    el("p", null, one.summary), el("pre", { class: "block table", tabindex: "0" }, one.table));
}

function drawHead() {
  document.getElementById("worker").textContent = overview?.worker || "Workflows";
  document.title = `${overview?.worker || "Workflows"}: ${countOf(sum(countByStatus("")), "instance")}`;
  const link = document.getElementById("link");
  link.className = `badge ${isLinked ? "complete" : "failed"}`;
  link.textContent = isLinked ? "Live" : overview === null ? "Connecting" : "Away";
  const place = document.getElementById("totals");
  const counts = sortedStatuses(countByStatus(""));
  const said = JSON.stringify(counts);
  if (place.dataset.said !== said) {
    place.dataset.said = said;
    keepFocus(place, () => place.replaceChildren(...counts.map(([status, count]) => el("button", {
      type: "button", class: `badge ${status}`, title: "Show them", onclick: () => filterBy("", status) }, `${count.toLocaleString("en-US")} ${status}`))));
  }
  drawClock();
}

function drawClock() {
  document.getElementById("now").textContent = clock.at === null ? "…" : when(new Date(nowMs()).toISOString());
}

function drawBanners() {
  const banners = [];
  if (!isLinked && refusal !== null) banners.push(["failed", "The server refuses this page. The page shows what it knew.", refusal]);
  else if (!isLinked && overview !== null) banners.push(["failed", "The server does not answer. The page shows what it knew, and goes on when the server is back.", null]);
  if (isLinked && stuck !== null) banners.push(["failed", "The Worker's code is busy.", stuck]);
  const newest = overview?.versions.at(-1);
  if (newest?.problem) {
    const running = overview.versions.findLast((one) => one.problem === null);
    banners.push(["failed", `Version ${newest.number} cannot be used${running ? `: version ${running.number} goes on` : ""}.`, newest.problem]);
  }
  if (overview?.problem && overview.problem !== newest?.problem) banners.push(["failed", "Something is wrong with where everything is kept.", overview.problem]);
  const place = document.getElementById("banners");
  const said = JSON.stringify(banners);
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  place.replaceChildren(...banners.map(([kind, text, more]) => el("div", { class: `banner ${kind}` }, el("b", null, text), more ? el("pre", { tabindex: "0" }, more) : null)));
}
