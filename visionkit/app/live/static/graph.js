// The compiled plan, drawn: a row for each depth, wires that pass several rows at the side.

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, GAP, ROW, SIDE] = [236, 50, 14, 72, 34];

const svg = (tag, attributes = {}, text = "") => {
  const node = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
};

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export class Graph {
  constructor(root, choose) {
    this.root = root;
    this.choose = choose;
    this.nodes = new Map();
  }

  draw({ boxes, wires }) {
    this.nodes.clear();
    const widest = {};
    for (const box of boxes) widest[box.row] = Math.max(widest[box.row] ?? 0, box.column + 1);
    const columns = Math.max(1, ...Object.values(widest));
    const rows = Math.max(...boxes.map((box) => box.row)) + 1;
    const detours = wires.filter(([from, to]) => this.far(boxes, from, to)).length;
    const left = detours ? SIDE : 4;
    const full = left + columns * (WIDTH + GAP);
    const place = new Map(
      boxes.map((box) => {
        const shift = ((columns - widest[box.row]) * (WIDTH + GAP)) / 2;
        return [box.id, { x: left + shift + box.column * (WIDTH + GAP), y: 3 + box.row * ROW }];
      }),
    );
    const canvas = svg("svg", { viewBox: `0 0 ${full} ${rows * ROW - ROW + HEIGHT + 8}`, width: full, role: "group", "aria-label": "stages" });
    let lane = 0;
    for (const [from, to] of wires) {
      const [a, b] = [place.get(from), place.get(to)];
      if (!a || !b) continue;
      const around = this.far(boxes, from, to);
      canvas.append(svg("path", { class: "wire", d: around ? this.around(a, b, 8 + (lane++ % 4) * 6) : this.straight(a, b) }));
    }
    for (const box of boxes) canvas.append(this.box(box, place.get(box.id)));
    this.root.replaceChildren(canvas);
  }

  far(boxes, from, to) {
    const [a, b] = [from, to].map((id) => boxes.find((box) => box.id === id));
    return a && b && b.row - a.row > 1;
  }

  straight(a, b) {
    const [x1, y1, x2, y2] = [a.x + WIDTH / 2, a.y + HEIGHT, b.x + WIDTH / 2, b.y];
    const half = (y1 + y2) / 2;
    return `M${x1} ${y1}C${x1} ${half} ${x2} ${half} ${x2} ${y2}`;
  }

  around(a, b, x) {
    const [y1, y2] = [a.y + HEIGHT / 2, b.y + HEIGHT / 2 - 8];
    return `M${a.x} ${y1}H${x + 8}Q${x} ${y1} ${x} ${y1 + 8}V${y2 - 8}Q${x} ${y2} ${x + 8} ${y2}H${b.x}`;
  }

  box(box, { x, y }) {
    const still = box.view === "-";
    const group = svg("g", { class: `box ${box.kind}${box.nested ? " nested" : ""}${still ? " still" : ""}`, transform: `translate(${x} ${y})` });
    group.dataset.id = box.id;
    group.append(
      svg("title", {}, `${box.title}: ${box.subtitle}`),
      svg("rect", { class: "body", width: WIDTH, height: HEIGHT, rx: 9 }),
      svg("text", { class: "name", x: 12, y: 21 }, cut(box.title, 20)),
      svg("text", { class: "sub", x: 12, y: 38 }, cut(box.subtitle, 24)),
      svg("text", { class: "time", x: WIDTH - 12, y: 21 }),
      svg("text", { class: "time fps", x: WIDTH - 12, y: 38 }),
      svg("rect", { class: "load", x: 10, y: HEIGHT - 4, height: 2, rx: 1, width: 0 }),
    );
    if (!still) {
      group.setAttribute("tabindex", 0);
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", `show ${box.title}`);
      group.addEventListener("click", () => this.choose(box));
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.choose(box);
      });
    }
    this.nodes.set(box.id, { box, group });
    return group;
  }

  costs(times) {
    const most = Math.max(1e-6, ...[...this.nodes.values()].map(({ box }) => times[box.meter]?.ms ?? 0));
    for (const { box, group } of this.nodes.values()) {
      const time = times[box.meter];
      const [ms, fps] = group.querySelectorAll(".time");
      ms.textContent = time ? `${time.ms.toFixed(time.ms < 10 ? 2 : 1)} ms` : "";
      fps.textContent = time && time.fps ? `${time.fps.toFixed(1)} fps` : "";
      group.querySelector(".load").setAttribute("width", time ? (time.ms / most) * (WIDTH - 20) : 0);
    }
  }

  mark(view) {
    for (const { box, group } of this.nodes.values()) {
      const chosen = view === "" ? box.view === "" && box.kind === "output" : box.view === view && !box.nested;
      group.classList.toggle("chosen", chosen);
      if (group.hasAttribute("role")) group.setAttribute("aria-pressed", chosen);
    }
  }
}
