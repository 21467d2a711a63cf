// Errors, with the lines of the source that they speak of.

const AROUND = 3;

function findSource(file) {
  if (file in data.sources) return file;
  return Object.keys(data.sources).find((known) => file.endsWith(`/${known}`) || known.endsWith(`/${file}`));
}

function sourceLines(file, line) {
  const known = findSource(file);
  if (known === undefined) return null;
  const lines = data.sources[known].split("\n");
  if (line < 1 || line > lines.length) return null;
  const first = Math.max(1, line - AROUND);
  const part = lines.slice(first - 1, line + AROUND);
  return el("div", { class: "source" },
    el("div", { class: "where" }, `${known}:${line}`),
    el("ol", { tabindex: "0", "aria-label": `${known}, line ${line}` }, part.map((text, at) =>
      el("li", { class: first + at === line ? "hit" : null }, el("span", null, String(first + at)), text || " "))));
}

function framesOf(text) {
  const frames = [];
  for (const found of text.matchAll(/File "([^"]+)", line (\d+)/g)) {
    if (findSource(found[1]) !== undefined) frames.push([found[1], Number(found[2])]);
  }
  return frames;
}

function lastLine(message) {
  const lines = message.trim().split("\n");
  return lines.findLast((line) => line && !line.startsWith(" ") && !line.endsWith("(most recent call last):")) || lines[0];
}

// What happened, without what the platform puts before it: `run` gets a ValueError as "ValueError: ValueError: ...".
function shortly(message) {
  return lastLine(message).replace(/^PythonError: /, "").replace(/^(\w+Error: )\1/, "$1");
}

function errorBox(error, traceback, place) {
  const text = traceback || error.message;
  const summary = shortly(error.message);
  const frames = framesOf(text);
  if (!frames.length && place) frames.push([place.file, place.line]);
  const last = frames.at(-1);
  return el("div", null,
    el("div", { class: "error" }, el("strong", null, error.name), ` ${summary}`,
      text.trim() !== summary && text.includes("\n")
        ? el("details", null, el("summary", null, "Traceback"), el("pre", { class: "block" }, text.trim())) : null),
    last ? sourceLines(last[0], last[1]) : null);
}

// The lines that findings speak of, in the page that is drawn without this script.
function fillSources() {
  for (const place of document.querySelectorAll(".lines[data-file]")) {
    const lines = sourceLines(place.dataset.file, Number(place.dataset.line));
    if (lines !== null) place.replaceChildren(lines);
  }
}
