// The timeline of an instance: bars over virtual or real time, which can be zoomed and moved.

const NICE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000, 300000, 600000, 1800000,
  3600000, 7200000, 21600000, 43200000, 86400000, 172800000, 604800000, 1209600000, 2592000000, 7776000000, 31557600000];

function virtualSpans(run) {
  const zero = moment(run.created_at || run.started_at || (run.steps || []).map((step) => step.started_at).find(Boolean));
  const now = moment(run.ended_at || run.recorded_at);
  const spans = (run.steps || []).map((step) => {
    const start = moment(step.started_at);
    if (start === null) return [];
    if (step.kind !== "do") {
      const end = moment(step.ended_at);
      return [{ kind: step.kind === "sleep" ? "sleep" : "wait", from: start - zero, to: (end === null ? Math.max(now, start) : end) - zero, open: end === null }];
    }
    return (step.attempts || []).flatMap((attempt, at) => {
      const from = moment(attempt.started_at) ?? start;
      const end = moment(attempt.ended_at);
      const to = end ?? Math.max(now ?? from, from);
      const bars = [{ kind: attemptKind(attempt, step), from: from - zero, to: to - zero, open: end === null }];
      const next = step.attempts[at + 1];
      if (attempt.retry_delay_ms) {
        const until = next ? moment(next.started_at) : Math.max(now ?? to, to);
        bars.push({ kind: "gap", from: to - zero, to: until - zero });
      }
      return bars;
    });
  });
  const marks = [
    ...(run.crashes || []).map((crash) => ({ kind: "crash", at: moment(crash.at) - zero, text: "the engine died and recovered" })),
    ...(run.events || []).filter((event) => event.sent_at)
      .map((event) => ({ kind: "event", at: moment(event.sent_at) - zero, text: `event ${event.type}` })),
  ];
  return { spans, marks, end: Math.max(0, (now ?? zero) - zero) };
}

function realSpans(run) {
  const spans = (run.steps || []).map((step) => {
    const attempts = (step.attempts || []).filter((attempt) => typeof attempt.real_at_ms === "number");
    const bars = attempts.map((attempt) => ({
      kind: attemptKind(attempt, step), from: attempt.real_at_ms, to: attempt.real_at_ms + (attempt.real_ms || 0), open: false,
    }));
    if (!bars.length && typeof step.real_at_ms === "number") {
      const to = typeof step.real_ms === "number" ? step.real_at_ms + step.real_ms : run.real_ms;
      const kind = { sleep: "sleep", wait_for_event: "wait" }[step.kind] || (step.error ? "bad" : "mock");
      bars.push({ kind, from: step.real_at_ms, to, open: step.real_ms === undefined });
    }
    return bars;
  });
  const last = Math.max(0, ...spans.flat().map((span) => span.to));
  return { spans, marks: [], end: Math.max(run.real_ms || 0, last), known: spans.some((bars) => bars.length) };
}

function attemptKind(attempt, step) {
  if (attempt.lost) return "lost";
  if (attempt.error) return "bad";
  return attempt.mocked || step.mocked ? "mock" : "work";
}

// Long waits squeezed: each stretch between two moments gets room by the logarithm of its length.
function squeezer(spans, marks) {
  const moments = [...new Set([0, ...spans.flat().flatMap((span) => [span.from, span.to]), ...marks.map((mark) => mark.at)])];
  moments.sort((one, other) => one - other);
  const places = [0];
  for (let at = 1; at < moments.length; at++) places.push(places[at - 1] + Math.log2(2 + moments[at] - moments[at - 1]));
  const end = places.at(-1) || 1;
  return {
    moments, end, to: (time) => places[moments.indexOf(time)] ?? 0,
    at: (share) => moments[places.findLastIndex((place) => place <= share * end + 1e-9)],
  };
}

class Timeline {
  constructor(run, detailOf) {
    this.detailOf = detailOf;
    this.axis = el("div", { class: "axis", role: "presentation" });
    this.rows = [];
    this.element = el("div", { class: "timeline" }, this.axis);
    this.read(run);
    this.tools = this.makeTools();
    this.choose(this.best());
    this.listen();
  }

  read(run) {
    this.virtual = virtualSpans(run);
    this.real = realSpans(run);
    this.squeezed = squeezer(this.virtual.spans, this.virtual.marks);
    const steps = run.steps || [];
    for (const gone of this.rows.splice(steps.length)) gone.element.remove();
    steps.forEach((step, at) => {
      if (at === this.rows.length) this.rows.push(this.row());
      this.fill(this.rows[at], step);
    });
    this.tracks = this.rows.map((row) => row.track);
  }

  // The run has gone on: its bars grow, and what is open, zoomed and chosen stays so.
  renew(run) {
    const before = this.best();
    this.read(run);
    this.buttons.real.disabled = !this.real.known;
    const { from, to } = this;
    this.choose(this.mode === before ? this.best() : this.mode);
    this.show(from, to);
  }

  row() {
    const track = el("span", { class: "track" });
    const label = el("span", { class: "label" });
    const button = el("button", { type: "button", "aria-expanded": "false" }, label, track);
    const row = { element: el("div", { class: "step" }, button), button, label, track, more: null, step: null, said: "" };
    button.addEventListener("click", () => {
      if (row.more) row.more.remove();
      row.more = row.more ? null : this.detailOf(row.step);
      button.setAttribute("aria-expanded", String(row.more !== null));
      if (row.more) row.element.append(row.more);
    });
    this.element.append(row.element);
    return row;
  }

  fill(row, step) {
    const said = JSON.stringify(step);
    if (row.said === said) return;
    row.step = step;
    row.said = said;
    const name = `${step.name}${(step.count || 1) > 1 ? ` (${step.count})` : ""}`;
    const tries = (step.attempts || []).length;
    const words = [name, kinds[step.kind], step.status || "complete", step.mocked ? "mocked" : null, tries > 1 ? `${tries} attempts` : null];
    row.button.title = words.filter(Boolean).join(", ");
    row.button.setAttribute("aria-label", row.button.title);
    row.label.replaceChildren(...[el("span", { class: "tri", "aria-hidden": "true" }, "▶"),
      el("span", { class: `dot ${step.status || "complete"}` }), el("b", null, name),
      step.kind === "do" ? (tries > 1 ? el("span", { class: "mark" }, `${tries} tries`) : null) : el("span", { class: "mark" }, kinds[step.kind])].filter(Boolean));
    if (!row.more) return;
    const more = this.detailOf(step);
    row.more.replaceWith(more);
    row.more = more;
  }

  makeTools() {
    const modes = [["virtual", "Virtual time"], ["squeezed", "Waits squeezed"], ["real", "Real time"]];
    this.buttons = Object.fromEntries(modes.map(([mode, text]) => [mode, el("button", {
      type: "button", "aria-pressed": "false", onclick: () => this.choose(mode),
      disabled: mode === "real" && !this.real.known, title: mode === "real" && !this.real.known ? "Real times are not recorded" : null,
    }, text)]));
    const zoom = [["−", "Zoom out", () => this.zoom(1.6)], ["+", "Zoom in", () => this.zoom(1 / 1.6)],
      ["◀", "Earlier", () => this.move(-0.25)], ["▶", "Later", () => this.move(0.25)], ["Fit", "Show all", () => this.show(0, 1)]];
    const legend = [["work", "worked"], ["mock", "mocked"], ["fail", "failed"], ["retry", "retry delay"], ["sleep", "sleep"], ["wait", "event"]];
    return el("div", { class: "tools" },
      el("div", { class: "segmented", role: "group", "aria-label": "Time" }, Object.values(this.buttons)),
      el("div", { class: "segmented zoom", role: "group", "aria-label": "Zoom" }, zoom.map(([text, title, act]) =>
        el("button", { type: "button", title, "aria-label": title, onclick: act }, text))),
      el("div", { class: "legend" }, legend.map(([name, text]) =>
        el("span", null, el("i", { style: { background: `var(--${name})` } }), text))));
  }

  // What shows most: where nothing took virtual time, the real one; where one wait takes up all, waits squeezed.
  best() {
    const { spans, end } = this.virtual;
    if (end === 0) return this.real.known ? "real" : "virtual";
    const longest = Math.max(0, ...spans.flat().map((span) => span.to - span.from));
    return longest / end > 0.8 && spans.length > 2 ? "squeezed" : "virtual";
  }

  choose(mode) {
    this.mode = mode;
    for (const [name, button] of Object.entries(this.buttons)) button.setAttribute("aria-pressed", String(name === mode));
    const { spans, marks, end } = mode === "real" ? this.real : this.virtual;
    Object.assign(this, { spans, marks, end: mode === "squeezed" ? this.squeezed.end : end || 1 });
    this.show(0, 1);
  }

  show(from, to) {
    const width = Math.min(1, Math.max(1e-7, to - from));
    this.from = Math.min(1 - width, Math.max(0, from));
    this.to = this.from + width;
    this.draw();
  }

  zoom(factor, around = 0.5) {
    const middle = this.from + (this.to - this.from) * around;
    const width = Math.min(1, (this.to - this.from) * factor);
    this.show(middle - width * around, middle + width * (1 - around));
  }

  move(part) {
    const by = (this.to - this.from) * part;
    this.show(this.from + by, this.to + by);
  }

  place(time) {
    const share = (this.mode === "squeezed" ? this.squeezed.to(time) : time) / this.end;
    return ((share - this.from) / (this.to - this.from)) * 97 + 1;
  }

  draw() {
    this.tracks.forEach((track, at) => {
      const bars = this.spans[at].map((span) => {
        const left = this.place(span.from);
        return el("i", {
          class: `${span.kind}${span.open ? " open" : ""}`, title: `${took(span.to - span.from)}, from +${took(span.from)}`,
          style: { left: `${left}%`, width: `${Math.max(0, this.place(span.to) - left)}%` },
        });
      });
      const marks = this.marks.map((mark) => el("em", { class: mark.kind, title: `${mark.text}, +${took(mark.at)}`, style: { left: `${this.place(mark.at)}%` } }));
      const all = this.spans[at];
      const last = all.length ? Math.max(...all.map((span) => this.place(span.to))) : 0;
      const total = all.reduce((sum, span) => sum + span.to - span.from, 0);
      const label = all.length && total > 0 && last < 88 && last > -5
        ? el("span", { class: "said", style: { left: `calc(${Math.max(0, last)}% + 9px)` } }, took(total)) : null;
      track.replaceChildren(...[...marks, ...bars, label].filter(Boolean));
    });
    const ticks = this.ticks().map(([left, text]) => el("span", { style: { left: `${left}%` } }, text));
    if (this.mode === "squeezed") ticks.push(el("span", { class: "end" }, `+${took(this.squeezed.at(this.to))}`));
    this.axis.replaceChildren(...ticks);
  }

  ticks() {
    const pixels = (count) => (100 * count) / (this.axis.clientWidth || 1000);
    if (this.mode === "squeezed") {
      const ticks = [];
      for (const time of this.squeezed.moments) {
        const left = this.place(time);
        if (left >= 0 && left <= 84 && (!ticks.length || left - ticks.at(-1)[0] > Math.max(12, pixels(62)))) ticks.push([left, `+${took(time)}`]);
      }
      return ticks;
    }
    const width = (this.to - this.from) * this.end;
    const smallest = this.mode === "real" ? 10 ** Math.floor(Math.log10(width / 2)) : 1;
    const step = Math.max(smallest, width < 7 ? smallest : NICE.find((nice) => width / nice <= 7) ?? width / 7);
    const first = Math.ceil((this.from * this.end) / step) * step;
    const ticks = [];
    for (let time = first; time <= this.to * this.end && ticks.length < 40; time += step) {
      const left = this.place(time);
      if (left <= 96 && (!ticks.length || left - ticks.at(-1)[0] > Math.max(7, pixels(44)))) ticks.push([left, `+${took(+time.toFixed(6))}`]);
    }
    return ticks;
  }

  listen() {
    const at = (event) => {
      const box = this.axis.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    this.element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && event.target.closest(".axis") === null) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, at(event));
    }, { passive: false });
    this.axis.addEventListener("pointerdown", (down) => {
      this.axis.setPointerCapture(down.pointerId);
      let last = at(down);
      const drag = (event) => {
        this.move(last - at(event));
        last = at(event);
      };
      this.axis.addEventListener("pointermove", drag);
      this.axis.addEventListener("pointerup", () => this.axis.removeEventListener("pointermove", drag), { once: true });
    });
    this.axis.addEventListener("dblclick", () => this.show(0, 1));
    this.axis.title = "Drag to move, wheel to zoom, double click to show all";
  }

  key(key) {
    const acts = { "+": () => this.zoom(1 / 1.6), "=": () => this.zoom(1 / 1.6), "-": () => this.zoom(1.6), 0: () => this.show(0, 1),
      h: () => this.move(-0.25), l: () => this.move(0.25) };
    if (key in acts) acts[key]();
    if (key === "t") {
      const modes = Object.keys(this.buttons).filter((mode) => !this.buttons[mode].disabled);
      this.choose(modes[(modes.indexOf(this.mode) + 1) % modes.length]);
    }
    return key in acts || key === "t";
  }
}
