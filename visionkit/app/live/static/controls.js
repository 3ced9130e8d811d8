// A slider or a field for every parameter of a stage.

const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

const hex = (rgb) => "#" + rgb.map((part) => part.toString(16).padStart(2, "0")).join("");
const short = (value) => (value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value));
const round = (value) => Number(Number(value).toPrecision(6));

// What was typed into a text: JSON where it is JSON, otherwise a comma-separated list of words.
const listed = (text) => {
  const trimmed = text.trim();
  if (!trimmed) return null;
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed.split(",").map((part) => part.trim()).filter(Boolean);
  }
};

const unlisted = (value) =>
  value === null ? "" : Array.isArray(value) && value.every((part) => typeof part === "string") ? value.join(", ") : JSON.stringify(value);

class Field {
  constructor(control, id, change) {
    this.control = control;
    this.change = change;
    this.wrong = make("p", { className: "wrong", hidden: true });
    this.wrong.setAttribute("role", "alert");
    const label = make("label", { htmlFor: id, textContent: control.name });
    if (control.note) label.append(make("span", { className: "note", textContent: control.note }));
    this.side = make("span", { className: "side" });
    this.node = make("div", { className: "field" }, label, this.side);
    this.node.dataset.name = control.name;
    this[control.kind](id);
    if (control.description) {
      const parts = control.description.split("`").map((part, i) => (i % 2 ? make("code", { textContent: part }) : part));
      const hint = make("p", { className: "hint", id: `${id}-hint` }, ...parts);
      this.node.append(hint);
      this.node.querySelector(`#${CSS.escape(id)}`)?.setAttribute("aria-describedby", hint.id);
    }
    this.node.append(this.wrong);
  }

  send(value) {
    this.change(value, (problem) => {
      this.wrong.hidden = !problem;
      this.wrong.textContent = problem || "";
    });
  }

  get busy() {
    return this.node.contains(document.activeElement);
  }

  range(id) {
    const { control } = this;
    const limits = { min: control.low, max: control.high, step: control.step };
    const slider = make("input", { type: "range", id, ...limits });
    const number = make("input", { type: "number", step: "any" });
    number.setAttribute("aria-label", `${control.name}, exactly`);
    const auto = make("input", { type: "checkbox" });
    this.show = (value) => {
      if (value !== null && value > slider.max) slider.max = value;
      if (value !== null && value < slider.min) slider.min = value;
      slider.value = value ?? control.low;
      number.value = value === null ? "" : round(value);
      auto.checked = value === null;
      slider.style.opacity = value === null ? 0.4 : 1;
    };
    const set = (value) => {
      this.show(value);
      this.send(value);
    };
    slider.addEventListener("input", () => set(round(slider.value)));
    number.addEventListener("change", () => number.value !== "" && set(Number(number.value)));
    auto.addEventListener("change", () => set(auto.checked ? null : round(slider.value)));
    if (control.optional) this.side.append(make("label", { className: "auto" }, auto, "auto"));
    this.side.append(number);
    this.node.append(slider);
    this.show(control.value);
  }

  flag(id) {
    const box = make("input", { type: "checkbox", id });
    box.addEventListener("change", () => this.send(box.checked));
    this.show = (value) => (box.checked = value === true);
    this.side.append(box);
    this.show(this.control.value);
  }

  choice(id) {
    const { control } = this;
    const select = make("select", { id });
    const values = control.optional ? [null, ...control.choices] : control.choices;
    select.append(...values.map((value, i) => make("option", { value: i, textContent: value === null ? "auto" : value })));
    select.addEventListener("change", () => this.send(values[select.value]));
    this.show = (value) => (select.value = values.indexOf(value));
    this.side.append(select);
    this.show(control.value);
  }

  color(id) {
    const input = make("input", { type: "color", id });
    input.addEventListener("input", () => this.send(input.value));
    this.show = (value) => (input.value = Array.isArray(value) ? hex(value) : "#000000");
    this.side.append(input);
    this.show(this.control.value);
  }

  text(id, read = (text) => (text === "" && this.control.optional ? null : text), write = (value) => (Array.isArray(value) ? hex(value) : value ?? "")) {
    const input = make("input", { type: "text", id, spellcheck: false, autocomplete: "off" });
    if (this.control.choices.length) {
      const list = make("datalist", { id: `${id}-list` }, ...this.control.choices.map((value) => make("option", { value })));
      input.setAttribute("list", list.id);
      this.node.append(list);
    }
    input.addEventListener("change", () => this.send(read(input.value)));
    this.show = (value) => (input.value = write(value));
    this.node.append(input);
    this.show(this.control.value);
  }

  list(id) {
    this.text(id, listed, unlisted);
  }

  fixed(id) {
    const output = make("output", { id });
    this.show = (value) => (output.textContent = short(value));
    this.side.append(output);
    this.show(this.control.value);
  }
}

// All stages with their parameters. `change(stage, name, value, tell)` is called with what the user chose.
export class Parameters {
  constructor(root, change) {
    this.root = root;
    this.change = change;
    this.fields = new Map();
    this.shape = "";
  }

  update(stages) {
    const shape = JSON.stringify(stages.map((s) => [s.id, s.name, s.params.map((p) => ({ ...p, value: 0, high: 0, low: 0, step: 0 }))]));
    if (shape !== this.shape) this.build(stages);
    this.shape = shape;
    for (const stage of stages)
      for (const control of stage.params) {
        const field = this.fields.get(`${stage.id}.${control.name}`);
        if (!field.busy) field.show(control.value);
      }
  }

  build(stages) {
    this.fields.clear();
    const many = stages.reduce((sum, stage) => sum + stage.params.length, 0) > 8;
    this.root.replaceChildren(
      ...stages.map((stage, i) => {
        const cost = make("span", { className: "cost" });
        const name = stage.name.replaceAll(".", "_") === stage.id ? [] : [make("span", { textContent: stage.name })];
        const summary = make("summary", {}, make("b", { textContent: stage.id }), ...name, cost);
        const fields = stage.params.map((control, n) => {
          const field = new Field(control, `p-${i}-${n}`, (value, tell) => this.change(stage.id, control.name, value, tell));
          this.fields.set(`${stage.id}.${control.name}`, field);
          return field.node;
        });
        const inside = fields.length ? make("div", { className: "fields" }, ...fields) : make("p", { className: "none", textContent: "no parameters" });
        const details = make("details", { open: fields.length > 0 && (!many || i === stages.findIndex((s) => s.params.length)) }, summary, inside);
        details.dataset.stage = stage.id;
        return details;
      }),
    );
  }

  costs(times) {
    for (const details of this.root.children) {
      const time = times[details.dataset.stage.split("/").pop()];
      details.querySelector(".cost").textContent = time ? `${time.ms.toFixed(1)} ms` : "";
    }
  }

  open(id) {
    const details = [...this.root.children].find((child) => child.dataset.stage === id);
    if (!details) return;
    details.open = true;
    if (matchMedia("(min-width: 941px)").matches) details.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
}
