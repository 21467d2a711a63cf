// Runs the probes on a Pyodide of npm: node run.mjs FOLDER_OF_PYODIDE FIRST
// A probe that ends the interpreter ends this process: whoever started it goes on with the next one.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, first] = process.argv.slice(2);
const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const pyodide = await loadPyodide({ stdout: (line) => process.stdout.write(`${line}\n`), stderr: () => {} });
try {
  await pyodide.runPythonAsync(read("probes.py"));
  pyodide.globals.set("TEXT", read("calls.txt"));
  // A task, as a request's is: what waits for a time limit asks for one.
  await pyodide.runPythonAsync(`await asyncio.create_task(main(TEXT, ${Number(first)}))`);
} catch (error) {
  process.stderr.write(String(error).slice(-2000));
}
process.stdout.write("", () => process.exit(0)); // behind all that was printed
