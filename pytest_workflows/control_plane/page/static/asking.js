// How the page asks the server, and says what became of it.

async function request(path, options) {
  let answer;
  try {
    answer = await fetch(`/__workflows/api/${path}`, { cache: "no-store", ...options });
  } catch {
    throw new Error("The server does not answer. Is pytest-workflows dev still running?");
  }
  const found = await answer.json().catch(() => null);
  if (found?.success) return found.result;
  const text = found?.errors?.map((error) => error.message).join("\n") || `The server answered with status ${answer.status}.`;
  throw Object.assign(new Error(text), { status: answer.status });
}

function ask(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return request(known.length ? `${path}?${new URLSearchParams(known)}` : path);
}

// `raw` are texts of JSON that are sent as they were written: numbers keep their digits.
function tell(path, body, raw = {}) {
  const fields = [...Object.entries(body).filter(([, value]) => value !== undefined).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
    ...Object.entries(raw).map(([name, text]) => `${JSON.stringify(name)}:${text}`)];
  return request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: `{${fields.join(",")}}` });
}

function toast(text, kind = "plain") {
  const box = el("div", { class: `toast ${kind}`, role: kind === "failed" ? "alert" : null },
    el("span", null, text), el("button", { type: "button", "aria-label": "Dismiss", onclick: () => box.remove() }, "✕"));
  document.getElementById("toasts").append(box);
  if (kind !== "failed") say(text);
  setTimeout(() => box.remove(), kind === "failed" ? 12000 : 4000);
}

// Does something that a button asks for; the button cannot be pressed meanwhile, and what went wrong is said.
async function doing(button, action, done) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const result = await action();
    if (done) toast(typeof done === "function" ? done(result) : done);
  } catch (error) {
    toast(error.message, "failed");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function actButton(text, title, action, done, kind = "") {
  const button = el("button", { type: "button", class: kind || null, title, onclick: () => doing(button, action, done) }, text);
  return button;
}
