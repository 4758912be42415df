// Runs in a browser that is rung, also where no page of ours is open: shows what is pushed, and sends what is pressed.
// It answers no request of a page and keeps none of their content, so that no page is older than it looks.

const KEPT = "allclear-push";
const REACHED = "/me/reached";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// What has to be known where nothing is pushed: our key, and how the last message is answered.
const keep = async (name, what) => (await caches.open(KEPT)).put(`/push/${name}`, new Response(JSON.stringify(what)));
const kept = async (name) => (await (await caches.open(KEPT)).match(`/push/${name}`))?.json();

// Says something of a message; what is proved by it came sealed with the message, so that no session is needed.
const say = (answer, what) => fetch(answer.to, {
  method: "POST",
  headers: { "content-type": "application/json" },
  credentials: "omit",
  body: JSON.stringify({ message: answer.message, proof: answer.proof, ...what }),
});

const show = (said, more = {}) => {
  const asks = said.asks ? [{ action: "acknowledge", title: said.asks }, { action: "open", title: "Open" }] : [];
  return self.registration.showNotification(said.title, {
    body: said.body,
    // One is shown of each, and a new one takes the place of the old.
    tag: said.tag,
    renotify: !said.silent,
    silent: said.silent,
    requireInteraction: said.urgent,
    timestamp: said.at,
    actions: asks,
    data: said,
    ...more,
  });
};

const arrived = async (said) => {
  // A browser asks for each push that something is shown.
  if (!said?.title) return show({ title: "All Clear", body: "A message could not be read. Open the board.", tag: "unread", open: "/" });
  if (said.over || !said.answer) return show(said);
  try {
    await show(said);
  } catch (why) {
    await say(said.answer, { receipt: "failed", why: String(why?.message ?? why) });
    return undefined;
  }
  await keep("answer", said.answer).catch(() => {});
  // Without a word it counts as not delivered, and others are asked: that errs on the right side.
  return say(said.answer, { receipt: "delivered" }).catch(() => {});
};

self.addEventListener("push", (event) => {
  let said = null;
  try { said = event.data.json(); } catch { /* told by what is shown */ }
  event.waitUntil(arrived(said));
});

const acknowledge = async (said) => {
  let words = "The server could not be reached.";
  try {
    const answer = await say(said.answer, { answer: "acknowledge" });
    const told = await answer.json().catch(() => ({}));
    const says = told.replies?.map((one) => one.says).filter(Boolean).join(" ");
    words = says || told.detail || `The server answered ${answer.status}.`;
    // Done, or done with already: either way nothing is asked any more.
    if (answer.ok || answer.status === 409) {
      return show({ ...said, title: words, body: said.title, asks: undefined, urgent: false, silent: true, over: true });
    }
  } catch { /* told below */ }
  return show({ ...said, title: `Not acknowledged: ${said.title}`, body: `${words} Tap to open it.`, urgent: true, silent: false });
};

const open = async (said) => {
  const to = new URL(said.code ? REACHED : said.open ?? "/", self.location.origin).href;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === to);
  return there ? there.focus() : self.clients.openWindow(to);
};

self.addEventListener("notificationclick", (event) => {
  const said = event.notification.data ?? {};
  if (event.action === "acknowledge" && said.answer) { event.waitUntil(acknowledge(said)); return; }
  event.notification.close();
  event.waitUntil(open(said));
});

// The browser renews what it is rung by: the server is told, by what only this browser knows.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil((async () => {
  const answer = await kept("answer");
  const key = await kept("key");
  if (!answer || !key) return;
  const fresh = event.newSubscription ?? await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = fresh.toJSON();
  await say(answer, { moved: { endpoint, ...keys } });
})()));
