// The keyboard: `?` lists it. Letters do nothing while somebody types, nor in a browser where *Me* switched them off.

// The second letter of `g b` counts this long.
const CHORD_MS = 1200;

const KEYS = [
  ["?", "These keys"], ["/", "Search"], [".", "Everything that can be done here"], ["c", "Declare an incident"],
  ...[...document.querySelectorAll(".rail a[data-key]")].map((link) => [`g ${link.dataset.key}`, link.textContent.trim()]),
  ["j k", "Next and previous row"], ["a", "Acknowledge the row that has the focus"], ["u", "Write an update"], ["n", "Write to the log"], ["Esc", "Close"],
];

const go = (path) => location.assign(path);

const dialog = (name, label, fill) => {
  document.querySelector("dialog")?.remove();
  const box = document.createElement("dialog");
  box.setAttribute("aria-label", label);
  const inside = document.createElement("div");
  inside.className = "in";
  fill(inside, () => box.close());
  box.append(inside);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  document.body.append(box);
  box.showModal();
};

const help = () => dialog("help", "Keys", (inside) => {
  const title = document.createElement("h2");
  title.textContent = "Keys";
  const list = document.createElement("dl");
  for (const [keys, words] of KEYS) {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    for (const key of keys.split(" ")) { const cap = document.createElement("kbd"); cap.textContent = key; dt.append(cap, " "); }
    dd.textContent = words;
    list.append(dt, dd);
  }
  inside.append(title, list);
});

// Everything that this page links to or asks for, by its own words.
const doable = () => {
  const out = [];
  for (const details of document.querySelectorAll("main details.act-one")) {
    const words = details.querySelector("summary").textContent.trim();
    out.push([words, () => { for (let d = details; d; d = d.parentElement.closest("details")) d.open = true; details.querySelector("textarea, input:not([type=hidden]), select, button")?.focus(); }]);
  }
  for (const button of document.querySelectorAll("main .acts > .at-once button, main .board button")) {
    out.push([button.getAttribute("aria-label") || button.textContent.trim(), () => button.click()]);
  }
  const seen = new Set();
  for (const link of document.querySelectorAll(".rail a, main a[href^='/']")) {
    const words = link.textContent.trim().replace(/\s+/g, " ");
    if (!words || seen.has(link.href)) continue;
    seen.add(link.href);
    out.push([words, () => go(link.href)]);
  }
  return out;
};

const palette = () => dialog("palette", "Everything that can be done here", (inside, close) => {
  const all = doable();
  const field = document.createElement("input");
  field.type = "text";
  field.placeholder = "Type what you want to do";
  field.setAttribute("aria-label", field.placeholder);
  const list = document.createElement("ul");
  let at = 0;
  const shown = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    return all.filter(([name]) => words.every((word) => name.toLowerCase().includes(word))).slice(0, 50);
  };
  const run = (act) => { close(); act(); };
  const draw = () => {
    const fits = shown();
    at = Math.min(at, Math.max(0, fits.length - 1));
    list.replaceChildren(...fits.map(([name, act], index) => {
      const [row, button] = [document.createElement("li"), document.createElement("button")];
      button.type = "button";
      button.textContent = name;
      if (index === at) button.dataset.on = "";
      button.addEventListener("click", () => run(act));
      row.append(button);
      return row;
    }));
    list.querySelector("[data-on]")?.scrollIntoView({ block: "nearest" });
  };
  field.addEventListener("input", () => { at = 0; draw(); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") at += 1;
    else if (event.key === "ArrowUp") at = Math.max(0, at - 1);
    else if (event.key === "Enter") { event.preventDefault(); const fit = shown()[at]; if (fit) run(fit[1]); return; }
    else return;
    event.preventDefault();
    draw();
  });
  inside.append(field, list);
  draw();
});

const rows = (step) => {
  const titles = [...document.querySelectorAll("main .board .title, main .list a.main")];
  const at = titles.indexOf(document.activeElement);
  titles[at < 0 ? (step > 0 ? 0 : titles.length - 1) : Math.min(titles.length - 1, Math.max(0, at + step))]?.focus();
};

// Only what the reader is at: a letter that fell on the keyboard stops nobody's paging. On an incident's own page it goes
// to the button, and does not press it.
const acknowledge = () => {
  const row = document.activeElement?.closest?.(".board li");
  if (row) row.querySelector("[formaction$='/acknowledge']")?.click();
  else document.querySelector(".acts [data-verb=acknowledge]")?.focus();
};

const write = () => {
  const field = document.getElementById("say-text");
  if (!field) return;
  field.focus();
  field.scrollIntoView({ block: "nearest" });
};

const update = () => {
  const form = document.querySelector(".acts > [data-verb=update]");
  if (!form) return;
  if (form.href) return go(form.href);
  form.open = true;
  form.querySelector("textarea").focus();
};

const search = () => {
  const field = document.querySelector("main input[type=search]");
  if (field) field.focus(); else go("/search");
};

const keys = { "?": help, "/": search, ".": palette, c: () => go("/declare"), a: acknowledge, u: update, n: write, j: () => rows(1), k: () => rows(-1) };
// Where `g` and a letter lead: what the rail leads to, by the letters it gives.
const place = (letter) => [...document.querySelectorAll(".rail a[data-key]")].find((link) => link.dataset.key === letter)?.getAttribute("href");
let chord = 0;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target;
  if (event.key === "Escape") {
    const open = target.closest?.("details.act-one[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    else if (target.matches?.("input, textarea")) target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  if (target.matches?.("input, textarea, select, [contenteditable]")) {
    return;
  }
  if (event.key.length === 1 && document.cookie.split("; ").includes("letters=off")) return;
  const path = Date.now() - chord < CHORD_MS && place(event.key);
  chord = 0;
  if (path) { event.preventDefault(); go(path); return; }
  if (event.key === "g") { chord = Date.now(); return; }
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

// Ctrl+Enter sends the form that is being written.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.("textarea")) {
    event.preventDefault();
    event.target.form?.requestSubmit();
  }
});

// A click elsewhere folds what was unfolded over the page.
document.addEventListener("click", (event) => {
  for (const details of document.querySelectorAll("details.act-one[open]")) {
    if (!details.contains(event.target) && !details.querySelector(".refusal")) details.open = false;
  }
});
