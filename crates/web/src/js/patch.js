// Makes a part of the page like the server's new one while it is being used: nodes stay the same
// nodes, so that focus, selection, scroll and what was typed stay where they are.

const keyOf = (node) => node.nodeType === 1 ? (node.dataset.key ?? (node.id || null)) : null;

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

// What the reader decides, not the server: whether something is unfolded, and what fields hold.
const theirs = (node, name) => (node.nodeName === "DETAILS" && name === "open")
  || (["INPUT", "TEXTAREA", "SELECT", "OPTION"].includes(node.nodeName) && ["value", "checked", "selected"].includes(name));

const sameAttributes = (old, fresh) => {
  for (const { name, value } of fresh.attributes) {
    if (!theirs(old, name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !theirs(old, name)) old.removeAttribute(name);
  }
};

const makeAlike = (old, fresh) => {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  sameAttributes(old, fresh);
  if (old.nodeName === "TEXTAREA") return;
  // Why something was refused, and what was typed, stays until it is sent again.
  if (old.nodeName === "FORM" && old.querySelector(":scope > .refusal") && !fresh.querySelector(":scope > .refusal")) return;
  childrenAlike(old, fresh);
};

const childrenAlike = (old, fresh) => {
  const links = new Set([...fresh.childNodes].filter((node) => node.nodeType === 1 && node.nodeName !== "DETAILS").map(keyOf));
  const isAskedFor = (node) => node.nodeName === "DETAILS" && node.open && keyOf(node) !== null && links.has(keyOf(node));
  const kept = new Map();
  for (const child of old.childNodes) {
    const key = keyOf(child);
    if (key !== null) kept.set(`${child.nodeName} ${key}`, child);
  }
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = keyOf(wanted);
    // A form that somebody has open is not folded up into the link that asks for it.
    if (key !== null && wanted.nodeName !== "DETAILS") {
      const open = kept.get(`DETAILS ${key}`);
      if (open && isAskedFor(open)) {
        if (open === at) at = at.nextSibling;
        continue;
      }
    }
    const same = key !== null ? kept.get(`${wanted.nodeName} ${key}`) : null;
    if (same) {
      if (same === at) at = at.nextSibling;
      // Moving a node that holds the focus would lose it, so the others move around it.
      else if (same.contains(document.activeElement)) {
        while (at && at !== same) { const gone = at; at = at.nextSibling; if (keyOf(gone) === null) gone.remove(); else old.append(gone); }
        at = same.nextSibling;
      } else old.insertBefore(same, at);
      makeAlike(same, wanted);
    } else if (key === null && at && keyOf(at) === null && alike(at, wanted)) {
      const here = at;
      at = at.nextSibling;
      makeAlike(here, wanted);
    } else {
      const added = document.importNode(wanted, true);
      if (added.nodeType === 1) added.classList.add("fresh");
      old.insertBefore(added, at);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    // What somebody is typing in is never taken away from under them.
    if (!(gone.nodeType === 1 && gone.contains(document.activeElement) && gone.querySelector("input, textarea, select")) && !isAskedFor(gone)) gone.remove();
  }
};

// A log grows at its end. Who reads further up is told how much is new, and nothing moves.
const held = { lines: [], list: null, pill: null };

const release = () => {
  if (!held.list) return;
  held.list.append(...held.lines.map((line) => document.importNode(line, true)));
  held.lines = [];
  held.pill?.remove();
  held.pill = null;
  const box = held.list.closest(".log-box");
  if (box) box.scrollTop = 0;
};

const isAtEnd = (box) => !box || Math.abs(box.scrollTop) < 24;

const grow = (list, fresh) => {
  const known = new Set([...list.children].map((line) => line.dataset.key));
  const news = [...fresh.children].filter((line) => !known.has(line.dataset.key));
  for (const line of list.children) {
    const same = [...fresh.children].find((other) => other.dataset.key === line.dataset.key);
    if (same) makeAlike(line, same);
  }
  if (news.length === 0) return;
  const box = list.closest(".log-box");
  if (isAtEnd(box)) {
    for (const line of news) {
      const added = document.importNode(line, true);
      added.classList.add("fresh");
      list.append(added);
    }
    if (box) box.scrollTop = 0;
    return;
  }
  held.list = list;
  held.lines = news;
  if (!held.pill) {
    held.pill = document.createElement("button");
    held.pill.type = "button";
    held.pill.className = "hold";
    held.pill.addEventListener("click", release);
    box.after(held.pill);
    box.addEventListener("scroll", () => { if (isAtEnd(box)) release(); }, { passive: true });
  }
  held.pill.textContent = `${news.length} new ↓`;
};

const patch = (text, now = false) => {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  setClock(fresh.body.dataset.now);
  const own = new Map([...document.querySelectorAll("[data-live]")].filter((n) => n !== document.body).map((n) => [n.dataset.live, n]));
  for (const region of fresh.querySelectorAll("[data-live]")) {
    const here = own.get(region.dataset.live);
    if (!here || region === fresh.body) continue;
    if (region.dataset.live === "rows") holdOrder(here, region, text, now);
    if ("grows" in region.dataset) grow(here, region);
    else makeAlike(here, region);
  }
  if (document.title !== fresh.title) document.title = fresh.title;
  tick();
};
