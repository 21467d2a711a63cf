// What the page knows: the instances' lines, what there is beside them, what time it is for the engine.

const data = { sources: {}, rules: {} };
const lines = new Map();
let overview = null;
let isLinked = false;
const clock = { at: null, read: 0 };

function keyOf(workflow, id) {
  return JSON.stringify([workflow, id]);
}

// The time of the engine's clock: it goes on by itself where it is real.
function nowMs() {
  if (clock.at === null) return Date.now();
  return clock.at + (overview?.is_live && isLinked ? performance.now() - clock.read : 0);
}

const FINAL = new Set(["complete", "errored", "terminated"]);

function sortedStatuses(statuses) {
  const order = ["running", "waiting", "queued", "waitingForPause", "paused", "errored", "complete", "terminated"];
  return Object.entries(statuses).sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
}

function countByStatus(workflow) {
  const found = {};
  for (const one of overview?.workflows || []) {
    if (workflow && one.binding !== workflow) continue;
    for (const [status, count] of Object.entries(one.statuses)) found[status] = (found[status] || 0) + count;
  }
  return found;
}

function sum(counts) {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

function addressOf(workflow, id) {
  return `#/instances/${encodeURIComponent(workflow)}/${encodeURIComponent(id)}`;
}

function countOf(count, what) {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

// How long ago, or how long until, in the largest unit that says something.
function since(ms) {
  const ago = nowMs() - ms;
  return Math.abs(ago) < 1500 ? "now" : ago > 0 ? `${took(Math.floor(ago / 1000) * 1000).split(" ").slice(0, 2).join(" ")} ago` : `in ${took(Math.ceil(-ago / 1000) * 1000)}`;
}
