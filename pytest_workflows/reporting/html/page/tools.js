// What the other parts stand on: elements, durations, values.

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") for (const [key, set] of Object.entries(value)) element.style.setProperty(key, set);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  // Only ever as text: what a workflow returned must not become a part of the page.
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const UNITS = [["d", 86400000], ["h", 3600000], ["min", 60000], ["s", 1000]];

function took(ms) {
  if (ms === null || ms === undefined) return "unknown";
  if (ms < 1) return ms === 0 ? "0 ms" : `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms < 10 ? +ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60000) return `${+(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
  const parts = [];
  let rest = Math.round(ms / 1000) * 1000;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

function when(text) {
  return text ? text.replace("T", " ").replace(/(\.\d+)?(Z|\+00:00)$/, "") + " UTC" : "unknown";
}

function moment(text) {
  return text ? Date.parse(text) : null;
}

// A value as people read it: what JSON has no form for stands in a recording with a tag.
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (!("$type" in value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  if (value.$type === "unknown") return `(not known: ${value.reason || "not recorded"})`;
  if (value.$type === "object") return Object.fromEntries(value.value.map(([key, item]) => [String(plain(key)), plain(item)]));
  if (value.$type === "tuple") return value.value.map(plain);
  const shown = typeof value.value === "string" ? value.value : JSON.stringify(plain(value.value));
  return `(${value.$type}) ${shown}`;
}

function shown(value) {
  const text = JSON.stringify(plain(value), null, 2);
  return text === undefined ? "None" : text === "null" ? "None" : text;
}

function pane(title, value) {
  return el("div", { class: "pane" }, el("h4", null, title), el("pre", { tabindex: "0" }, typeof value === "string" ? value : shown(value)));
}

function badge(kind, text) {
  return el("span", { class: `badge ${kind}` }, text || kind);
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl", { class: "facts" }, known.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
}

const kinds = { do: "step", sleep: "sleep", wait_for_event: "event" };
// The text for a screen reader; nothing is shown.
function say(text) {
  document.getElementById("said").textContent = text;
}

// Brings the top of something into sight, below the header that stays there.
function reveal(element) {
  const top = element.getBoundingClientRect().top;
  const head = document.querySelector("header.top");
  const free = (getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0) + 8;
  if (top < free || top > free + 60) scrollBy({ top: top - free, behavior: "instant" });
}

function copyButton(text, what) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${what}`, title: `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // A browser that lets nobody copy: the text is selected for Ctrl-C.
      getSelection().selectAllChildren(button.previousSibling);
      button.textContent = "Selected";
    }
    say(`${what}: ${button.textContent}`);
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

function commandLine(label, text) {
  return el("div", { class: "command" }, el("span", { class: "soft" }, label), el("code", { tabindex: "0" }, text), copyButton(text, label));
}

// -- light and dark, and how high the head is --

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  button.title = `Switch to ${theme === "dark" ? "light" : "dark"} (d)`;
}

function switchTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setTheme(theme);
  try {
    localStorage.setItem("workflows-theme", theme);
  } catch {
    // a browser that keeps nothing for files
  }
}

function keptTheme() {
  try {
    return localStorage.getItem("workflows-theme");
  } catch {
    return null;
  }
}

function startTheme() {
  setTheme(keptTheme() || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", switchTheme);
}

// What stays below the header knows how high it is: on a narrow screen it has several lines.
function startHead() {
  const header = document.querySelector("header.top");
  const measure = () => document.documentElement.style.setProperty("--head", `${header.offsetHeight}px`);
  new ResizeObserver(measure).observe(header);
  measure();
}
