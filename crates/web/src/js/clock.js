// Clocks that go on between two answers of the server. They count from the server's own instant,
// so that a laptop whose clock is wrong shows what everybody else sees.

const SECOND = 1000;
const skew = { ms: 0 };

const setClock = (serverNow) => {
  const at = Date.parse(serverNow);
  if (!Number.isNaN(at)) skew.ms = at - Date.now();
};

const nowMs = () => Date.now() + skew.ms;

// The same words as the server's: `47 s`, `12 min`, `2 h 05 min`, `3 d 4 h`.
const ageWords = (ms) => {
  const s = Math.max(0, Math.floor(ms / SECOND));
  const [m, h, d] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86400)];
  if (m === 0) return `${s} s`;
  if (h === 0) return `${m} min`;
  if (d === 0) return `${h} h ${String(m % 60).padStart(2, "0")} min`;
  return `${d} d ${h % 24} h`;
};

const countdown = (ms) => {
  const s = Math.max(0, Math.floor(ms / SECOND));
  return s < 3600 ? `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}` : ageWords(ms);
};

const put = (node, words) => {
  if (node.textContent !== words) node.textContent = words;
};

const tick = () => {
  if (document.hidden) return;
  const now = nowMs();
  for (const node of document.querySelectorAll("[data-tick]")) {
    const at = Date.parse(node.dateTime);
    if (node.dataset.tick === "age") {
      put(node, ageWords(now - at));
    } else if (node.dataset.tick === "for") {
      node.classList.toggle("late", Date.parse(node.dataset.late) < now);
      put(node, `nobody for ${countdown(now - at)}`);
    } else {
      const left = at - now;
      node.classList.toggle("late", left < 0);
      put(node, left < 0 ? `late ${countdown(-left)}` : `in ${countdown(left)}`);
    }
  }
};

setClock(document.body.dataset.now);
setInterval(tick, SECOND);
document.addEventListener("visibilitychange", tick);
