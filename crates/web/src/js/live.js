// Follows what happens: the server says that something changed, and the page asks for itself again.

// At most one asking in this time: a storm of changes costs the server one page a second of us.
const ASK_EVERY_MS = 1000;
// The first try after a lost connection, doubled up to the last.
const RETRY_MS = 1000;
const RETRY_MS_MAX = 30000;
// A page that was out of sight this long asks at once when it is seen again.
const live = { source: null, asking: false, again: false, asked: 0, retry: RETRY_MS, stale: false, timer: 0 };

const clockWords = () => new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zoneName() }).format(new Date(nowMs()));
const zoneName = () => {
  const zone = document.body.dataset.zone || "UTC";
  try { new Intl.DateTimeFormat([], { timeZone: zone }); return zone; } catch { return "UTC"; }
};

const setStale = (is) => {
  const note = document.getElementById("stale");
  if (!note || live.stale === is) return;
  live.stale = is;
  note.hidden = !is;
  note.textContent = is ? `Not connected: stale since ${clockWords()}. What you type and send is kept until it is back.` : "";
  if (is) sayHeld();
};

const signedOut = () => {
  setStale(true);
  const note = document.getElementById("stale");
  if (!note) return;
  const link = Object.assign(document.createElement("a"), { href: `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`, textContent: "Sign in again" });
  note.replaceChildren("You are signed out, and what is shown here grows old. ", link);
};

const ask = async () => {
  if (live.asking) { live.again = true; return; }
  live.asking = true;
  try {
    live.asked = Date.now();
    const answer = await fetch(document.body.dataset.source, { headers: { accept: "text/html" }, credentials: "same-origin", redirect: "manual" });
    if (answer.ok) patch(await answer.text());
    // Pages lead nowhere else but to where one signs in.
    else if (answer.type === "opaqueredirect") signedOut();
  } catch { /* the stream tells whether we are connected */ }
  live.asking = false;
  if (live.again) { live.again = false; askSoon(); }
};

const askSoon = () => {
  if (live.timer || document.hidden) { live.again = live.again || document.hidden; return; }
  const wait = Math.max(0, live.asked + ASK_EVERY_MS - Date.now());
  live.timer = setTimeout(() => { live.timer = 0; ask(); }, wait);
};

const connect = () => {
  const on = document.body.dataset.live;
  if (!on) return;
  const source = new EventSource(`/live?${on}`);
  live.source = source;
  let opened = false;
  source.addEventListener("open", (event) => {
    // Our own first event; the browser's has no data.
    if (event.data === undefined) return;
    const back = live.stale;
    opened = true;
    live.retry = RETRY_MS;
    setStale(false);
    if (outgoing.length > 0) sendHeld(); else if (back) askSoon();
  });
  source.addEventListener("changed", askSoon);
  source.addEventListener("error", () => {
    source.close();
    setStale(true);
    // Whether the way is broken or the session is over is only seen by asking.
    ask();
    setTimeout(connect, live.retry);
    live.retry = opened ? RETRY_MS : Math.min(live.retry * 2, RETRY_MS_MAX);
  });
};

document.addEventListener("visibilitychange", () => { if (!document.hidden && live.again) { live.again = false; askSoon(); } });
// A page that the browser kept and shows again may be old.
addEventListener("pageshow", (event) => { if (event.persisted) askSoon(); });
// A browser that leaves would show the lost connection for a moment.
addEventListener("pagehide", () => live.source?.close());
connect();
