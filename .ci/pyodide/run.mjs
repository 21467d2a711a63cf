// Runs the probes on a Pyodide of npm: node run.mjs FOLDER_OF_PYODIDE PROBES.py FIRST
// Each outcome is a line of JSON on the standard output. A probe that ends the interpreter ends this process: whoever
// started it goes on with the next one.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, probes, first] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const pyodide = await loadPyodide({ stdout: (line) => process.stdout.write(`${line}\n`), stderr: () => {} });
pyodide.globals.set("FIRST", Number(first));
try {
  await pyodide.runPythonAsync(readFileSync(probes, "utf8"));
} catch (error) {
  process.stderr.write(String(error).slice(-2000));
  process.exit(3);
}
