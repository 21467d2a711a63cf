// The dialogs: each is made when it is opened, and gone when it is closed.

function dialog(title, fields, { act, action, done, wide = false, isGrave = false }) {
  const problem = el("p", { class: "problem", role: "alert" });
  const submit = act ? el("button", { class: isGrave ? "grave" : "main" }, act) : null;
  const form = el("form", { method: "dialog" }, el("h2", { id: "dialog-title" }, title), fields, problem,
    el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => box.close() }, act ? "Cancel" : "Close"), submit));
  const box = el("dialog", { class: wide ? "wide-dialog" : null, "aria-labelledby": "dialog-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!act || form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    problem.textContent = "";
    try {
      const result = await action();
      box.close();
      if (done) done(result);
    } catch (error) {
      if (box.open) problem.textContent = error.message;
      else toast(error.message, "failed"); // it was closed meanwhile
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

function field(label, input, hint) {
  const id = `field-${label.toLowerCase().replace(/\W+/g, "-")}`;
  input.id = id;
  const note = hint ? el("small", { class: "soft", id: `${id}-hint` }, hint) : null;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return el("div", { class: "field" }, el("label", { for: id }, label), input, note);
}

// A text of JSON, checked while it is written: what is wrong stands below it. Empty stands for null.
function jsonField(label, text, hint) {
  const input = el("textarea", { rows: "8", spellcheck: "false", class: "mono", autocomplete: "off" });
  input.value = text;
  const place = field(label, input, hint);
  const wrong = el("small", { class: "problem", role: "status" });
  place.append(wrong);
  const check = () => {
    wrong.textContent = "";
    input.removeAttribute("aria-invalid");
    if (!input.value.trim()) return "null";
    try {
      JSON.parse(input.value);
      return input.value;
    } catch (error) {
      wrong.textContent = `This is no JSON: ${error.message}`;
      input.setAttribute("aria-invalid", "true");
      return null;
    }
  };
  input.addEventListener("input", check);
  const read = () => {
    const found = check();
    if (found !== null) return found;
    input.focus();
    throw new Error(`${label} must be JSON, such as {"sku": "A1"}. Nothing was sent.`);
  };
  return { place, read, input };
}

const lastParams = new Map();

function createDialog(workflow = "") {
  const names = (overview?.workflows || []).map((one) => one.binding);
  if (!names.length) {
    toast("There is no workflow here: the configuration names none.", "failed");
    return;
  }
  const select = el("select", null, names.map((name) => el("option", { value: name }, name)));
  select.value = names.includes(workflow) ? workflow : names[0];
  const id = el("input", { type: "text", maxlength: "100", autocomplete: "off", spellcheck: "false" });
  let offered = lastParams.get(select.value) ?? "{}";
  const params = jsonField("Params", offered, "JSON. The event's payload.");
  select.addEventListener("change", () => {
    if (params.input.value !== offered) return; // what somebody has written stays
    params.input.value = offered = lastParams.get(select.value) ?? "{}";
  });
  dialog("Create an instance", [field("Workflow", select), field("Id", id, "Empty for a new one."), params.place], {
    act: "Create",
    action: async () => {
      const text = params.read();
      lastParams.set(select.value, params.input.value);
      return tell("create", { workflow: select.value, id: id.value.trim() || undefined }, { params: text });
    },
    done: (made) => {
      toast(`Created ${made.workflow} ${made.id}.`);
      go(addressOf(made.workflow, made.id));
    },
  });
  params.input.focus();
}

function eventDialog(run, meant, type = "") {
  const waits = (run.steps || []).filter((step) => step.kind === "wait_for_event" && step.status === "waiting");
  const types = [...new Set(waits.map((step) => step.event_type).filter(Boolean))];
  const input = el("input", { type: "text", required: true, maxlength: "100", list: "event-types", autocomplete: "off", spellcheck: "false" });
  input.value = type || types[0] || "";
  const payload = jsonField("Payload", "{}", "JSON.");
  const offers = types.length ? el("div", { class: "chips", role: "group", "aria-label": "Types it waits for" },
    types.map((one) => el("button", { type: "button", onclick: () => (input.value = one) }, one))) : null;
  dialog(`Send an event to ${meant.id}`, [
    el("datalist", { id: "event-types" }, types.map((one) => el("option", { value: one }))),
    field("Type", input, types.length ? `It waits for ${types.join(", ")}.` : "It waits for no event now; an event is kept until it does."), offers, payload.place,
  ], {
    act: "Send",
    action: () => {
      if (!input.value) throw new Error("An event has a type. Nothing was sent.");
      return tell("event", { ...meant, type: input.value }, { payload: payload.read() });
    },
    done: () => toast(`Sent ${input.value} to ${meant.id}.`),
  });
  (input.value ? payload.input : input).focus();
}

const RESTART_KINDS = { do: "do", sleep: "sleep", wait_for_event: "waitForEvent" };

function restartDialog(run, meant) {
  const counts = new Map();
  const points = (run.steps || []).map((step) => {
    const key = `${step.kind} ${step.name}`;
    counts.set(key, (counts.get(key) || 0) + 1);
    return { name: step.name, count: counts.get(key), type: RESTART_KINDS[step.kind] };
  });
  const select = el("select", null, el("option", { value: "" }, "The top: nothing is kept"),
    points.map((point, at) => el("option", { value: String(at) }, `${point.name}${point.count > 1 ? ` (${point.count})` : ""}, ${kinds[run.steps[at].kind]}`)));
  dialog(`Run ${meant.id} again`, [field("From", select, "What ended before that step is kept, and does not run again.")], {
    act: "Restart",
    action: () => tell("restart", { ...meant, from: select.value === "" ? undefined : points[Number(select.value)] }),
    done: () => toast(`${meant.id} runs again.`),
  });
}

function sureDialog(title, text, act, action, done) {
  dialog(title, [el("p", null, text)], { act, action, done, isGrave: true });
}

function travelDialog() {
  const local = (ms) => new Date(ms).toISOString().slice(0, 19);
  const moment = el("input", { type: "datetime-local", step: "1" });
  const start = nowMs();
  moment.value = local(start + 3600000);
  const jumps = [["1 minute", 60000], ["1 hour", 3600000], ["1 day", 86400000], ["7 days", 604800000], ["30 days", 2592000000]];
  dialog("Run the clock to another time", [
    field("Moment in UTC", moment, "Everything that is due until then happens: sleeps end, retries begin, waits time out."),
    el("div", { class: "chips", role: "group", "aria-label": "From now" }, jumps.map(([text, ms]) => el("button", { type: "button", onclick: () => (moment.value = local(start + ms)) }, `+ ${text}`))),
  ], {
    act: "Run the clock",
    action: () => tell("time/travel", { to: `${moment.value}Z` }),
    done: (result) => toast(`It is ${when(result.now)}.`),
  });
}

function testDialog(written) {
  const text = el("pre", { class: "block code", tabindex: "0" }, written.text);
  dialog("A test of this instance", [
    el("p", { class: "soft" }, "It goes the way of this instance, with a mock for each step. Put it into your tests, and change what is to hold."),
    el("div", { class: "command" }, el("span", { class: "soft" }, "File"), el("code", null, written.file), copyButton(written.file, "the file's name")),
    el("div", { class: "actions after" }, text, copyButton(written.text, "the test"), el("a", { class: "button", download: written.file.split("/").pop(), href: URL.createObjectURL(new Blob([written.text], { type: "text/x-python" })) }, "Download")),
  ], { wide: true });
}

function helpDialog() {
  const keys = [[["/"], "search"], [["↓", "↑", "j", "k"], "next and previous instance"], [["Enter"], "open it"], [["Esc"], "close it"], [["n"], "create an instance"],
    [["e"], "send an event to the open instance"], [["c"], "run the clock"], [["+", "−", "0"], "zoom the timeline in, out, show all"], [["h", "l"], "move the timeline"],
    [["t"], "clock's time, waits squeezed, real time"], [["i", "w", "s", "u", "v"], "instances, workflows, stores, numbers, versions"], [["d"], "dark and light"]];
  dialog("Keyboard", el("table", null, el("tbody", null, keys.map(([names, text]) => el("tr", null,
    el("td", null, names.flatMap((name, at) => [at ? " " : "", el("kbd", null, name)])), el("td", null, text))))), {});
}
