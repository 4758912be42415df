// The board's order is held while somebody is at it: no row moves under a pointer, a focus or a finger. What would have
// moved is told by a pill, and moves when they have gone.

// After a touch the order is held this long.
const HOLD_MS = 5000;
// Whether they have gone is looked at this often.
const HELD_LOOK_MS = 500;
const order = { touched: 0, mouse: false, fresh: null, pill: null };

const rowsHere = () => document.querySelector("[data-live=rows]");

const isHeld = () => {
  const rows = rowsHere();
  if (!rows) return false;
  // A finger leaves `:hover` behind, a mouse does not.
  return (order.mouse && rows.matches(":hover")) || rows.querySelector(".board li:focus-within") !== null || Date.now() - order.touched < HOLD_MS;
};

// A row that ended keeps its place, and offers nothing.
const gone = (row) => {
  const ghost = row.cloneNode(true);
  ghost.classList.add("is-gone");
  for (const button of ghost.querySelectorAll("button")) button.disabled = true;
  return ghost;
};

// Brings the server's new rows into the order that is shown; new ones come last. Says whether that is another order.
const inShownOrder = (here, fresh) => {
  let other = false;
  for (const list of fresh.querySelectorAll("ol.board")) {
    const shown = here.querySelector(`ol.board[data-list=${list.dataset.list}]`);
    if (!shown) continue;
    const wanted = [...list.children];
    const byKey = new Map(wanted.map((row) => [row.dataset.key, row]));
    const known = new Set([...shown.children].map((row) => row.dataset.key));
    const held = [...shown.children].map((row) => byKey.get(row.dataset.key) ?? gone(row));
    held.push(...wanted.filter((row) => !known.has(row.dataset.key)));
    if (held.length === wanted.length && held.every((row, at) => row === wanted[at])) continue;
    other = true;
    list.replaceChildren(...held);
  }
  return other;
};

const showPill = (is) => {
  if (!is) { order.pill?.remove(); order.pill = null; order.fresh = null; return; }
  if (order.pill) return;
  order.pill = Object.assign(document.createElement("button"), { type: "button", className: "order-pill", textContent: "order changed" });
  order.pill.addEventListener("click", () => patch(order.fresh, true));
  document.getElementById("main").append(order.pill);
};

const holdOrder = (here, fresh, text, now) => {
  const held = !now && isHeld() && inShownOrder(here, fresh);
  showPill(held);
  if (held) order.fresh = text;
};

document.addEventListener("pointerover", (event) => { order.mouse = event.pointerType === "mouse"; }, { passive: true });
document.addEventListener("pointerdown", (event) => {
  if (event.pointerType !== "mouse" && rowsHere()?.contains(event.target)) order.touched = Date.now();
}, { passive: true });
setInterval(() => { if (order.fresh && !isHeld()) patch(order.fresh, true); }, HELD_LOOK_MS);
