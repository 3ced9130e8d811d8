
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const number = (n, digits = 0) => n.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});

/** An element with children; text is always text. */
function make(tag, given = {}, ...children) {
  const made = Object.assign(document.createElement(tag), given);
  made.append(...children);
  return made;
}

function duration(seconds) {
  if (seconds < 1) return number(seconds * 1000, seconds < 0.1 ? 1 : 0) + " ms";
  if (seconds < 120) return number(seconds, 1) + " s";
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? minutes + " min" : Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
}

function nothing(place, text) { at(place).append(make("p", {className: "soft"}, text)); }

function totals() {
  const {done, failed, pending} = data.counts;
  const all = [
    ["inputs done", number(done), "good"], ["failed", number(failed), failed ? "bad" : ""],
    ["not done yet", number(pending), ""], ["frames", number(data.frames), ""], ["objects", number(data.objects), ""],
    ["time", duration(data.seconds), ""],
    ["inputs a second", data.seconds ? number((done + failed) / data.seconds, 1) : "–", ""],
  ].filter(([label, value]) => !(label === "not done yet" && value === "0"));
  at("totals").append(...all.map(([label, value, kind]) =>
    make("div", {className: kind}, make("b", {}, value), make("span", {}, label))));
}

function bars(place, rows) {
  const most = Math.max(...rows.map((row) => row[1]), 1e-12);
  const box = make("div", {className: "bars"});
  for (const [label, value, text] of rows) {
    const bar = make("div", {className: "bar"});
    bar.style.width = (100 * value / most) + "%";
    box.append(make("span", {}, label), bar, make("span", {}, text));
  }
  at(place).append(box);
}

function classes() {
  if (!data.classes.length) return nothing("classes", "No table of this run has classes.");
  bars("classes", data.classes.slice(0, 20).map(([name, count]) => [name, count, number(count)]));
  const rest = data.kinds - Math.min(20, data.classes.length);
  if (rest > 0) nothing("classes", "and " + number(rest) + " more");
}

function scores() {
  if (!data.scores.length) return nothing("scores", "No table of this run has scores.");
  const most = Math.max(...data.scores);
  const box = make("div", {className: "columns"});
  data.scores.forEach((count, i) => {
    const from = i / data.scores.length, to = (i + 1) / data.scores.length;
    const bar = make("i", {title: number(from, 2) + " to " + number(to, 2) + ": " + number(count)});
    bar.style.height = (100 * count / most) + "%";
    box.append(bar);
  });
  at("scores").append(box, make("div", {className: "axis"}, ...["0", "0.25", "0.5", "0.75", "1"].map((t) => make("span", {}, t))));
}

function stages() {
  if (!data.stages.length) return nothing("stages", "No run has come to its end yet.");
  bars("stages", data.stages.map((s) => [s.name, s.seconds, duration(s.seconds) + ", " + number(s.ms, s.ms < 10 ? 2 : 1) + " ms each"]));
}

function table(place, heads, rows) {
  const head = make("tr", {}, ...heads.map(([text, kind]) => make("th", {className: kind || ""}, text)));
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, i) => make("td", {className: heads[i][1] || ""}, cell))));
  at(place).append(make("div", {className: "scroll"}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))));
}

function failed() {
  if (!data.failed.length) return at("broken").remove();
  table("failed", [["input"], ["reason"], ["attempts", "number"]], data.failed.map((f) => [f.name, f.error || "", String(f.attempts)]));
  const more = data.counts.failed - data.failed.length;
  if (more > 0) nothing("failed", "and " + number(more) + " more, see errors.jsonl");
}

function slowest() {
  table("slowest", [["input"], ["work", "number"], ["frames", "number"]],
    data.slowest.map((s) => [s.name, duration(s.seconds), number(s.frames)]));
}

function found(item) {
  return Object.entries(item.classes).map(([name, count]) => (count > 1 ? count + " × " : "") + name).join(", ");
}

function gallery() {
  const form = at("filter"), box = at("gallery");
  const names = [...new Set(data.gallery.flatMap((item) => Object.keys(item.classes)))].sort();
  form.elements.class.append(...names.map((name) => make("option", {value: name}, name)));
  const cards = data.gallery.map((item) => {
    const picture = make("img", {src: item.data, alt: "", loading: "lazy"});
    const card = make("button", {type: "button", title: item.name}, picture,
      make("div", {}, make("strong", {}, item.name), found(item) || "–"));
    card.addEventListener("click", () => zoom(cards.filter(([c]) => !c.hidden), card));
    return [card, item];
  });
  box.append(...cards.map(([card]) => card));
  const update = () => {
    const part = form.elements.name.value.toLowerCase(), kind = form.elements.class.value;
    const least = Number(form.elements.score.value);
    form.querySelector("output").textContent = least.toFixed(2);
    for (const [card, item] of cards) {
      const fits = item.name.toLowerCase().includes(part) && (!kind || Object.hasOwn(item.classes, kind));
      card.hidden = !(fits && (!least || (item.score !== null && item.score >= least)));
      card.style.display = card.hidden ? "none" : "";
    }
    const shown = cards.filter(([card]) => !card.hidden).length;
    at("shown").textContent = number(shown) + " of " + number(cards.length) + " shown, " + number(data.counts.done) + " done";
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
}

/** One picture over the whole window: wheel or pinch to zoom, drag to move, arrow keys for the next, Escape to leave. */
function zoom(cards, card) {
  const dialog = at("zoom"), picture = dialog.querySelector("img"), stage = picture.parentElement;
  let scale = 1, x = 0, y = 0, index = cards.findIndex(([c]) => c === card);
  const draw = () => { picture.style.transform = "translate(" + x + "px, " + y + "px) scale(" + scale + ")"; };
  const show = (step) => {
    index = (index + step + cards.length) % cards.length;
    const item = cards[index][1];
    [scale, x, y, picture.src] = [1, 0, 0, item.data];
    dialog.querySelector("figcaption").textContent = item.name + (found(item) ? ": " + found(item) : "");
    draw();
  };
  stage.onwheel = (event) => {
    event.preventDefault();
    const old = scale, area = stage.getBoundingClientRect();
    scale = Math.min(20, Math.max(1, scale * Math.exp(-event.deltaY / 300)));
    const px = event.clientX - area.left - area.width / 2, py = event.clientY - area.top - area.height / 2;
    x = scale === 1 ? 0 : px - (px - x) * scale / old;
    y = scale === 1 ? 0 : py - (py - y) * scale / old;
    draw();
  };
  stage.onpointerdown = (event) => stage.setPointerCapture(event.pointerId);
  stage.onpointermove = (event) => {
    if (!event.buttons || scale === 1) return;
    x += event.movementX;
    y += event.movementY;
    draw();
  };
  stage.onclick = (event) => { if (event.target === stage && scale === 1) dialog.close(); };
  dialog.onkeydown = (event) => { if (event.key.startsWith("Arrow")) show(/Right|Down/.test(event.key) ? 1 : -1); };
  show(0);
  dialog.showModal();
}

document.title = data.title + " – visionkit report";
document.querySelector("h1").textContent = data.title;
at("when").textContent = "begun " + data.begun + ", report of " + data.made + (data.running ? ", still running" : "") +
  (data.runs > 1 ? ", in " + data.runs + " runs" : "");
totals(); classes(); scores(); stages(); failed(); gallery(); slowest();
