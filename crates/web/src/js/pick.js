// A time is picked in a calendar: dragged over with a mouse, or its begin and its end touched one after the other. It leads to the
// same page with that time in its address, as its links and its two fields do.

// Fewer pixels than this are a click, which is the link's.
const DRAG_PX = 6;
const picking = { from: null, to: null, x: 0, dragging: false, begun: null };

const pickStrips = () => [...document.querySelectorAll("svg[data-pick]")];

// The instant under a pointer, in seconds, on the grid of its strip; nothing outside of the days.
const pickedAt = (event) => {
  const svg = document.elementFromPoint(event.clientX, event.clientY)?.closest("svg[data-pick]");
  if (!svg) return null;
  const box = svg.getBoundingClientRect();
  const { pick, from, to, left } = svg.dataset;
  const [begin, end, step, edge] = [Number(from), Number(to), Number(pick), Number(left)];
  const wide = svg.viewBox.baseVal.width;
  const x = (event.clientX - box.left) / box.width * wide;
  if (x < edge) return null;
  const at = begin + (x - edge) / (wide - edge) * (end - begin);
  return Math.min(end, Math.max(begin, begin + Math.round((at - begin) / step) * step));
};

const paintPick = () => {
  for (const old of document.querySelectorAll("svg[data-pick] .picked")) old.remove();
  if (picking.from === null) return;
  const [a, b] = [Math.min(picking.from, picking.to), Math.max(picking.from, picking.to)];
  for (const svg of pickStrips()) {
    const [begin, end, edge] = [Number(svg.dataset.from), Number(svg.dataset.to), Number(svg.dataset.left)];
    if (b < begin || end < a) continue;
    const { width, height } = svg.viewBox.baseVal;
    const x = (at) => edge + (Math.min(end, Math.max(begin, at)) - begin) / (end - begin) * (width - edge);
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const at = { class: "picked", x: x(a), y: 0, width: Math.max(2, x(b) - x(a)), height };
    for (const [name, value] of Object.entries(at)) rect.setAttribute(name, value);
    svg.append(rect);
  }
};

const endPick = () => { picking.from = null; picking.to = null; paintPick(); };

const goToPick = () => {
  const iso = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  const [a, b] = [Math.min(picking.from, picking.to), Math.max(picking.from, picking.to)];
  const base = document.querySelector("[data-pick-at]")?.dataset.pickAt;
  endPick();
  if (base && a < b) location.assign(`${base}&from=${iso(a)}&to=${iso(b)}#take`);
};

document.addEventListener("pointerdown", (event) => {
  picking.dragging = false;
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  const at = pickedAt(event);
  if (at === null) return;
  Object.assign(picking, { from: at, to: at, x: event.clientX });
});
document.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "mouse" || picking.from === null) return;
  if (!picking.dragging && Math.abs(event.clientX - picking.x) < DRAG_PX) return;
  picking.dragging = true;
  picking.to = pickedAt(event) ?? picking.to;
  paintPick();
});
document.addEventListener("pointerup", (event) => {
  if (event.pointerType !== "mouse" || picking.from === null) return;
  if (picking.dragging) goToPick(); else if (picking.begun === null) endPick();
});
document.addEventListener("pointercancel", endPick);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") { picking.begun = null; endPick(); } });
// Links are dragged by browsers themselves.
document.addEventListener("dragstart", (event) => { if (event.target.closest?.("svg[data-pick]")) event.preventDefault(); });
// What was dragged over is no click on what lies under its end.
document.addEventListener("click", (event) => {
  const svg = event.target.closest?.("svg[data-pick]");
  if (!svg) return;
  if (picking.dragging) { event.preventDefault(); return; }
  // On the edge with the days the first touch is the begin, and the second the end.
  if (event.target.closest("a")) return;
  const at = pickedAt(event);
  if (at === null) return;
  if (picking.begun === null) {
    picking.begun = at;
    Object.assign(picking, { from: at, to: at });
    paintPick();
    const told = document.getElementById("told");
    if (told) told.textContent = "The begin is chosen; choose the end.";
  } else {
    Object.assign(picking, { from: picking.begun, to: at, begun: null });
    goToPick();
  }
}, true);
