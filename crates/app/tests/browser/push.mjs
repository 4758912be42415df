// A browser is rung, and acknowledges: `node push.mjs BASE_URL TOKEN`. The worker, the page and the notifications are the browser's
// own; no push service can be reached from here, so the browser's is a server of this script, which opens what the program sealed
// and hands it to the browser as its service would. Prints one line per finding that holds, and ends with 1 at the first that does not.
import { createDecipheriv, createECDH, createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { launch, sleep } from "./cdp.mjs";

const [given, token] = process.argv.slice(2);
const base = given.replace(/\/$/, "");
const must = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
};

// RFC 8291, as a browser has it.
const own = createECDH("prime256v1");
const point = own.generateKeys();
const auth = randomBytes(16);
const hmac = (key, ...said) => said.reduce((mac, part) => mac.update(part), createHmac("sha256", key)).digest();
const drawn = (salt, key, length, ...info) => hmac(hmac(salt, key), ...info, Buffer.from([1])).subarray(0, length);
const open = (body) => {
  const [salt, theirs, record] = [body.subarray(0, 16), body.subarray(21, 21 + body[20]), body.subarray(21 + body[20])];
  const key = drawn(auth, own.computeSecret(theirs), 32, Buffer.from("WebPush: info\0"), point, theirs);
  const decipher = createDecipheriv("aes-128-gcm", drawn(salt, key, 16, Buffer.from("Content-Encoding: aes128gcm\0")), drawn(salt, key, 12, Buffer.from("Content-Encoding: nonce\0")));
  decipher.setAuthTag(record.subarray(-16));
  const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  return plain.subarray(0, plain.lastIndexOf(2)).toString();
};
const pushes = [];
const service = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => { pushes.push(open(Buffer.concat(parts))); response.writeHead(201).end(); });
});
await new Promise((done) => { service.listen(0, "127.0.0.1", done); });
const endpoint = `http://127.0.0.1:${service.address().port}/send/1`;
const pushed = async (nth) => {
  for (let n = 0; n < 200 && pushes.length < nth; n += 1) await sleep(50);
  if (pushes.length < nth) throw new Error(`push ${nth} never came`);
  return pushes[nth - 1];
};

const api = async (method, path, body) => {
  const answer = await fetch(`${base}/api/v1${path}`, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  return answer.json();
};

const browser = await launch();
let worker = null;
// A worker that does nothing is stopped by the browser: it is looked for each time.
const inWorker = async (expression) => {
  const { targetInfos } = await browser.send("Target.getTargets");
  const target = targetInfos.find((one) => one.type === "service_worker" && one.url.endsWith("/push/worker.js"));
  if (!target) throw new Error("no worker runs");
  if (worker?.targetId !== target.targetId) worker = { targetId: target.targetId, ...(await browser.send("Target.attachToTarget", { targetId: target.targetId, flatten: true })) };
  const { result, exceptionDetails } = await browser.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, worker.sessionId);
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
};
const shown = () => inWorker(`registration.getNotifications().then((all) => all.map((one) => ({ title: one.title, body: one.body, tag: one.tag, silent: one.silent, stays: one.requireInteraction, actions: one.actions.map((a) => a.title) })))`);
const until = async (look, what) => {
  for (let n = 0; n < 100; n += 1) {
    if (await look()) return;
    await sleep(100);
  }
  throw new Error(`never: ${what}`);
};

try {
  await browser.send("Browser.grantPermissions", { origin: base, permissions: ["notifications"] });
  const page = await browser.page();
  await page.ask("Network.setExtraHTTPHeaders", { headers: { authorization: `Bearer ${token}` } });
  const registrations = [];
  browser.on((message) => { if (message.method === "ServiceWorker.workerRegistrationUpdated") registrations.push(...message.params.registrations); });
  await page.ask("ServiceWorker.enable");
  // What its push service would have said.
  const address = { endpoint, keys: { p256dh: point.toString("base64url"), auth: auth.toString("base64url") } };
  await page.ask("Page.addScriptToEvaluateOnNewDocument", { source: `PushManager.prototype.subscribe = async function (asked) {
    sessionStorage.asked = JSON.stringify([asked.userVisibleOnly, asked.applicationServerKey.length]);
    return { toJSON: () => (${JSON.stringify(address)}) }; };` });

  await page.open(`${base}/me/reached?add=web_push`);
  const button = `document.querySelector("form[data-ring] [type=submit]")`;
  await page.until(`${button} && !${button}.disabled`, "the button can be pressed");
  must(await page.run(`navigator.serviceWorker.getRegistrations().then((all) => all.length === 0)`), "nothing is asked and nothing is set up before the press");
  await page.run(`${button}.click()`);
  await page.until(`location.search === "?added" && document.readyState === "complete"`, "it is added");
  must(await page.run(`sessionStorage.asked === "[true,65]"`), "the browser was given our key");
  must(await page.run(`/Chrome on/.test(document.querySelector("#contact-browser").textContent)`), "the contact has the browser's name");
  const sent = await page.run(`document.querySelector("#contact-browser form[action$='/code'] button").click()`);
  must(sent === undefined, "a code is asked for");
  const code = await pushed(1);
  await page.until(`location.search === "?sent" && document.readyState === "complete"`, "the page says that a code is on its way");
  const registration = registrations.findLast((one) => one.scopeURL.endsWith("/push/") && !one.isDeleted);
  must(Boolean(registration), "the worker is registered for a scope of its own");
  // Whoever asks for what is shown while it is being shown makes this browser forget it: so it is given a while.
  const settle = () => sleep(800);
  const deliver = async (data) => {
    await page.ask("ServiceWorker.deliverPushMessage", { origin: base, registrationId: registration.registrationId, data });
    await settle();
  };
  await deliver(code);
  await until(async () => (await shown()).some((one) => /is your code for All Clear/.test(one.title)), "the code is shown");
  must(true, "the code is shown");
  await until(async () => /delivered/.test(JSON.stringify((await api("GET", "/me/contacts")).items.find((one) => one.id === "browser").code)), "the worker says that it was shown");
  must(true, "the worker says that it was shown, without a session");
  await api("POST", "/me/contacts/browser/verify", { code: JSON.parse(code).title.slice(0, 6) });
  await api("PUT", "/me/rules", { high: [{ contact: "browser" }] });

  const fire = (title) => fetch(`${base}/in/json/json-key-0001`, { method: "POST", body: JSON.stringify({ title, dedup_key: title, severity: "critical" }) });
  const incident = async () => (await api("GET", "/incidents")).items[0];
  await fire("Disk full");
  const ring = await pushed(2);
  await deliver(ring);
  const ofPage = async () => (await shown()).filter((one) => one.tag === JSON.parse(ring).tag);
  await until(async () => (await ofPage()).length === 1, "the page is shown");
  const [note] = await ofPage();
  must(/INC-1 Disk full/.test(note.title) && note.stays && note.actions.join() === "Acknowledge,Open", `the page is shown and stays, with both buttons: ${JSON.stringify(note)}`);
  await deliver(ring);
  await sleep(300);
  must((await ofPage()).length === 1, "pushed twice, it is one");

  // Without a connection it says so, and stays.
  const press = `registration.getNotifications({ tag: ${JSON.stringify(JSON.parse(ring).tag)} }).then(([one]) => { self.dispatchEvent(new NotificationEvent("notificationclick", { notification: one, action: "acknowledge" })); })`;
  await inWorker(`self.real = self.fetch; self.fetch = () => Promise.reject(new TypeError("offline")); ${press}`);
  await settle();
  await until(async () => /^Not acknowledged: /.test((await ofPage())[0]?.title), "it says that it was not acknowledged");
  must(/Tap to open/.test((await ofPage())[0].body) && (await ofPage())[0].stays && !(await incident()).acknowledged_by, "without a connection it says that it was not acknowledged, and stays");

  await inWorker(`self.fetch = self.real; ${press}`);
  await settle();
  await until(async () => (await incident()).acknowledged_by === "ana", "Acknowledge acknowledges");
  must(true, "Acknowledge on the notification acknowledges the page");
  await until(async () => /^You have INC-1/.test((await ofPage())[0]?.title), "it says who has it");
  must((await ofPage()).length === 1 && (await ofPage())[0].silent && (await ofPage())[0].actions.length === 0, "the notification says so, once, without a sound and without buttons");
  await deliver(await pushed(3));
  await until(async () => /Ana Ruiz has it/.test((await ofPage())[0]?.title), "what is over takes its place");
  must((await ofPage()).length === 1, "what is over takes the place of its page");

  // Nothing of a page is kept, and no page goes through the worker.
  await page.open(base + "/");
  must(await page.run(`navigator.serviceWorker.controller === null`), "the worker is between no page and the server");
  const kept = await page.run(`caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((one) => one.keys())))).then((all) => all.flat().map((one) => new URL(one.url).pathname))`);
  must(kept.sort().join() === "/push/answer,/push/key", `nothing of a page is kept: ${kept}`);

  // A browser that was told not to says what to do.
  await browser.send("Browser.setPermission", { origin: base, permission: { name: "notifications" }, setting: "denied" });
  await page.open(`${base}/me/reached?add=web_push`);
  await sleep(200);
  must(await page.run(`/told not to show notifications/.test(document.querySelector("[data-ring-says]").textContent) && ${button}.disabled`), "where notifications are refused it says what to do");
  must(page.complaints.length === 0, `no error and no violation of the policy: ${page.complaints.join("; ")}`);
  console.log("ok: a browser is rung");
} catch (why) {
  console.log(String(why.stack ?? why), JSON.stringify(pushes), JSON.stringify(await shown().catch(String)));
  process.exitCode = 1;
} finally {
  await browser.close();
  service.close();
}
