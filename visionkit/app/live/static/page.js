// The live page: what a run sees, what its stages cost, and every parameter at hand.

import { Parameters } from "./controls.js";
import { Graph } from "./graph.js";

const $ = (id) => document.getElementById(id);
const STREAMS = 3; // a browser opens six connections to a host: with more sources, stills come over one of them
const PERIOD = 1000;

if (location.search) history.replaceState(null, "", "/"); // the token is in its cookie now

const page = { hash: "", view: "", tiles: [], saves: false, away: false, problem: "" };

async function ask(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const answer = await fetch(path, options);
  return answer.json();
}

// Changes: the newest value of each parameter, one request at a time.
const wishes = new Map();
let sending = false;

function change(stage, name, value, tell) {
  wishes.set(`${stage}\n${name}`, { stage, name, value, tell });
  if (!sending) send();
}

async function send() {
  sending = true;
  while (wishes.size) {
    const [key, { stage, name, value, tell }] = wishes.entries().next().value;
    wishes.delete(key);
    try {
      const answer = await ask("/api/set", { stage, name, value });
      tell(answer.ok ? "" : answer.problem);
      if (answer.ok) {
        page.hash = answer.hash;
        marked(answer.dirty);
      }
    } catch {
      tell("the page does not answer");
    }
  }
  sending = false;
}

async function act(path, body = {}) {
  try {
    const answer = await ask(path, body);
    page.problem = answer.ok ? "" : answer.problem;
  } catch {
    page.problem = "the page does not answer";
  }
  await refresh();
}

function marked(dirty) {
  $("save").disabled = !dirty || !page.saves;
  $("revert").disabled = !dirty;
  document.title = `${dirty ? "• " : ""}${$("name").textContent} – visionkit`;
}

// What is shown: the output, or what one stage makes of the frame.
const graph = new Graph($("graph"), (box) => {
  look(box.view);
  parameters.open(box.id);
});
const parameters = new Parameters($("params"), change);

function look(view) {
  page.view = view;
  $("showing").textContent = view === "" ? "the output" : view === "source" ? "the untouched frame" : view;
  $("back").hidden = view === "";
  graph.mark(view);
  page.tiles.forEach((tile) => tile.play());
}

class Tile {
  constructor(number) {
    this.number = number;
    this.node = $("tile").content.firstElementChild.cloneNode(true);
    this.image = this.node.querySelector("img");
    this.seen = 0;
    const find = (name) => this.node.querySelector(`.${name}`);
    Object.assign(this, { dot: find("dot"), who: find("who"), numbers: find("numbers"), badge: find("badge") });
    Object.assign(this, { snapshot: find("snapshot"), record: find("record"), enlarge: find("enlarge") });
    this.record.addEventListener("click", () => {
      act("/api/record", { source: number, on: this.record.getAttribute("aria-pressed") !== "true" });
    });
    this.enlarge.addEventListener("click", () => this.grow(!this.node.classList.contains("large")));
  }

  grow(large) {
    for (const tile of page.tiles) {
      tile.node.classList.toggle("large", large && tile === this);
      tile.enlarge.setAttribute("aria-pressed", large && tile === this);
      tile.play();
    }
  }

  get query() {
    return page.view ? `?stage=${encodeURIComponent(page.view)}` : "";
  }

  get streams() {
    return page.tiles.length <= STREAMS || this.node.classList.contains("large");
  }

  play() {
    this.seen = 0;
    this.snapshot.href = `/snapshot/${this.number}${this.query}`;
    const source = document.hidden || page.away || !this.streams ? "" : `/stream/${this.number}${this.query}`;
    if (this.streams && this.playing === source) return;
    this.playing = source;
    if (source) this.image.src = source;
    else if (document.hidden || page.away) this.image.removeAttribute("src");
  }

  async still() {
    const after = `${this.query ? `${this.query}&` : "?"}after=${this.seen}`;
    const answer = await fetch(`/still/${this.number}${after}`);
    if (answer.status !== 200) return;
    this.seen = Number(answer.headers.get("X-Number"));
    const old = this.image.src;
    this.image.src = URL.createObjectURL(await answer.blob());
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  }

  update(state) {
    const parts = [];
    if (state.state !== "ended" && state.fps) parts.push(`${state.fps.toFixed(1)} fps`);
    if (state.latency !== null) parts.push(`${state.latency.toFixed(0)} ms`);
    if (state.size) parts.push(state.size.join("×"));
    if (state.dropped) parts.push(`${state.dropped} dropped`);
    if (state.failed) parts.push(`${state.failed} failed`);
    this.numbers.textContent = parts.join(" · ");
    this.who.textContent = state.caption;
    this.image.alt = `live picture of ${state.caption}`;
    this.dot.dataset.state = state.state;
    this.dot.title = state.state;
    const silent = state.age !== null && state.age > 3;
    const words = { ended: "the source has ended", waiting: "trying again", connecting: "connecting" };
    const word = words[state.state] ?? (silent ? `no frame for ${state.age.toFixed(0)} s` : "");
    this.badge.hidden = !word || (state.state === "connecting" && !state.reason && state.age !== null && !silent);
    this.badge.textContent = [word, state.reason].filter(Boolean).join(": ");
    this.record.setAttribute("aria-pressed", state.recording);
    this.record.textContent = state.recording ? "Stop" : "Record";
    if (state.size) this.node.style.setProperty("--ratio", `${state.size[0]} / ${state.size[1]}`);
  }
}

async function stills() {
  for (;;) {
    const waiting = document.hidden || page.away ? [] : page.tiles.filter((tile) => !tile.streams && tile.node.offsetParent);
    for (const tile of waiting) await tile.still().catch(() => {});
    await new Promise((done) => setTimeout(done, waiting.length ? 20 : 250));
  }
}

function arrange(sources) {
  if (sources.length !== page.tiles.length) {
    page.tiles = sources.map((_, i) => page.tiles[i] ?? new Tile(i));
    $("tiles").replaceChildren(...page.tiles.map((tile) => tile.node));
    page.tiles.forEach((tile) => tile.play());
  }
  sources.forEach((source, i) => page.tiles[i].update(source));
  $("empty").hidden = sources.length > 0;
}

async function plan() {
  const found = await ask("/api/plan");
  page.hash = found.hash;
  page.saves = found.saves;
  $("name").textContent = found.name;
  $("description").textContent = found.description;
  $("save").title = found.saves ? "Write the changes into the file" : "Not a file of yours: download the YAML instead";
  parameters.update(found.stages);
  const shape = JSON.stringify(found.graph);
  if (shape !== page.shape) graph.draw(found.graph);
  page.shape = shape;
  graph.mark(page.view);
}

async function refresh() {
  try {
    const state = await ask("/api/state");
    if (state.hash !== page.hash && !sending) await plan();
    if (page.away) back();
    shown(state);
  } catch {
    away();
  }
}

function shown(state) {
  arrange(state.sources);
  graph.costs(state.stages);
  parameters.costs(state.stages);
  marked(state.dirty);
  const fps = state.sources.reduce((sum, source) => sum + source.fps, 0);
  $("health").dataset.state = state.health;
  $("health").textContent = state.health === "ok" ? `${fps.toFixed(1)} fps` : state.health === "degraded" ? `degraded · ${fps.toFixed(1)} fps` : state.health;
  complain([...state.problems, page.problem].filter(Boolean));
  $("recordings").hidden = !state.recordings.length;
  const links = state.recordings.map((name) => Object.assign(document.createElement("a"), { href: `/recordings/${name}`, textContent: name, download: name }));
  if ($("recordings").dataset.names !== state.recordings.join())
    $("recordings").querySelector("ul").replaceChildren(...links.map((link) => { const item = document.createElement("li"); item.append(link); return item; }));
  $("recordings").dataset.names = state.recordings.join();
  $("footer").textContent = `${state.viewers} stream${state.viewers === 1 ? "" : "s"} open · /metrics · /health`;
}

function complain(problems) {
  $("problems").hidden = !problems.length;
  const text = problems.join("\n\n");
  const pre = $("problems").firstElementChild;
  if (pre.textContent !== text) pre.textContent = text;
}

function away() {
  if (page.away) return;
  page.away = true;
  $("health").dataset.state = "away";
  $("health").textContent = "the run has ended, or cannot be reached";
  page.tiles.forEach((tile) => tile.play());
}

function back() {
  page.away = false;
  page.tiles.forEach((tile) => tile.play());
}

$("save").addEventListener("click", () => act("/api/save"));
$("revert").addEventListener("click", () => act("/api/revert"));
$("back").addEventListener("click", () => look(""));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const large = page.tiles.find((tile) => tile.node.classList.contains("large"));
  if (large) large.grow(false);
  else look("");
});
document.addEventListener("visibilitychange", () => {
  page.tiles.forEach((tile) => tile.play());
  if (!document.hidden) refresh();
});

await refresh();
setInterval(() => document.hidden || refresh(), PERIOD);
stills();
