// The stores: what the bindings hold, a page at a time.

const stores = { list: null, chosen: null, table: "", search: "", page: undefined, problem: null, asked: 0, isLong: false };
const KINDS = {
  kv_namespaces: "KV namespace", r2_buckets: "R2 bucket", d1_databases: "D1 database", durable_objects: "Durable Objects", queues: "Queue", ratelimits: "Rate limit",
};

async function showStores(kind, id, table) {
  stores.chosen = kind === undefined ? null : { kind, id };
  stores.table = table || "";
  stores.search = "";
  stores.page = undefined; // null is that of a store that holds nothing
  stores.problem = null;
  drawStores();
  await renewStores();
}

async function renewStores() {
  const number = ++stores.asked;
  try {
    const list = await ask("stores");
    let { chosen, table } = stores;
    const found = chosen && list.find((one) => one.kind === chosen.kind && one.id === chosen.id);
    if (found && !found.tables.includes(table)) table = found.tables[0] ?? "";
    const page = found && found.tables.length ? await ask("store", { ...chosen, table, limit: 100 }) : null;
    if (number === stores.asked) {
      Object.assign(stores, { list, table, page, problem: null });
      drawStores();
    }
  } catch (error) {
    if (number !== stores.asked) return;
    stores.problem = error.message;
    if (stores.list !== null) drawStores();
    else document.getElementById("stores").replaceChildren(el("p", { class: "empty" }, error.message));
  }
}

function refreshStores() {
  stores.isLong = false;
  return renewStores();
}

function storeAddress(store, table = "") {
  return `#/stores/${[store.kind, store.id, table].map(encodeURIComponent).join("/")}`;
}

function drawStores() {
  const place = document.getElementById("stores");
  const { list, chosen, page } = stores;
  if (list === null) return place.replaceChildren(el("p", { class: "empty" }, "Loading …"));
  if (!list.length) return place.replaceChildren(el("p", { class: "empty" }, "The Worker has no binding with contents: no KV namespace, bucket, database, queue or Durable Object."));
  const said = JSON.stringify([list, chosen, stores.table, stores.search, page ?? [page === undefined, stores.problem]]);
  if (place.dataset.said === said) return undefined;
  place.dataset.said = said;
  const found = chosen && list.find((one) => one.kind === chosen.kind && one.id === chosen.id);
  const search = place.querySelector("#store-search");
  const hadFocus = search !== null && search === document.activeElement;
  const links = el("nav", { class: "card store-list", "aria-label": "Stores" }, list.map((store) => el("a", {
    href: storeAddress(store), "aria-current": found === store ? "page" : null,
  }, el("b", null, store.names.join(", ")), el("small", { class: "soft" }, KINDS[store.kind] || store.kind))));
  place.replaceChildren(el("div", { class: "stores" }, links, el("article", { class: "card store" }, found ? storeBox(found) : el("p", { class: "empty" }, "Choose a store to see what it holds."))));
  if (hadFocus) place.querySelector("#store-search")?.focus();
  return undefined;
}

function storeBox(store) {
  const { page, table } = stores;
  const search = el("input", { type: "search", id: "store-search", placeholder: "Filter these rows", "aria-label": "Filter these rows", autocomplete: "off" });
  search.value = stores.search;
  search.addEventListener("input", () => {
    stores.search = search.value;
    drawStores();
  });
  const tables = store.tables.length > 1 ? el("div", { class: "chips", role: "group", "aria-label": "Tables" }, store.tables.map((one) =>
    el("button", { type: "button", "aria-pressed": String(one === table), onclick: () => go(storeAddress(store, one)) }, one))) : null;
  return [
    el("header", null, el("h2", null, store.names.join(", ")), el("span", { class: "soft" }, `${KINDS[store.kind] || store.kind} `, el("code", null, store.id)),
      el("span", { class: "fill" }), el("button", { type: "button", onclick: refreshStores }, "Refresh")),
    el("div", { class: "body-of-store" }, el("div", { class: "line" }, tables, search), contentsOf(page)),
  ];
}

function contentsOf(page) {
  if (page === undefined) return el("p", { class: "empty" }, stores.problem ?? "Loading …");
  return page === null ? el("p", { class: "empty" }, "Nothing is stored.") : storeTable(page);
}

function storeTable(page) {
  const words = stores.search.toLowerCase().split(/\s+/);
  const found = page.rows.filter((cells) => words.every((word) => cells.join(" ").toLowerCase().includes(word)));
  const row = (cells) => el("tr", null, cells.map((cell) => el("td", null, cell === null ? el("span", { class: "soft" }, "–") : cellOf(String(cell)))));
  const more = page.next === null ? null : actButton("More", "Show more rows", async () => {
    const { chosen, table } = stores;
    const next = await ask("store", { ...chosen, table, after: page.next, limit: 100 });
    if (stores.chosen !== chosen || stores.table !== table) return; // another one is open by now
    stores.asked += 1; // an answer that is still under way has no more than the first rows
    stores.page = { ...page, rows: [...page.rows, ...next.rows], next: next.next };
    stores.isLong = true;
    drawStores();
  });
  if (!found.length) return [el("p", { class: "empty" }, page.rows.length ? "None of these rows fits." : "Nothing is stored."), more];
  return [el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Contents" }, el("table", { class: "contents" },
    el("thead", null, el("tr", null, page.columns.map((name) => el("th", { scope: "col" }, name)))), el("tbody", null, found.map(row)))),
  el("p", { class: "line" }, el("span", { class: "soft" }, countOf(found.length, "row")), more)];
}

function cellOf(text) {
  if (text.length <= 160) return el("code", null, text);
  return el("details", null, el("summary", null, el("code", null, `${text.slice(0, 120)}…`)), el("pre", { class: "block" }, text));
}
