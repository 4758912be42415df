// A lost connection loses nothing that was typed: `node lost.mjs BASE_URL`, with real keys and clicks. Prints one line per
// finding that holds, and ends with 1 at the first that does not.
import { launch, sleep } from "./cdp.mjs";

const [base] = process.argv.slice(2);
const made = await fetch(`${base}/declare`, { method: "POST", body: new URLSearchParams({ title: "Lost in a lift", severity: "sev4" }), redirect: "manual" });
const path = base + made.headers.get("location");
const log = () => fetch(path).then((answer) => answer.text());
const times = (text, words) => text.split(words).length - 1;
const browser = await launch();
const page = await browser.page();
const must = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
};
const click = async (selector) => {
  const where = await page.run(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: "center", behavior: "instant" });
    const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`);
  for (const type of ["mousePressed", "mouseReleased"]) await page.ask("Input.dispatchMouseEvent", { type, ...where, button: "left", clickCount: 1 });
};
const connected = (is) => page.ask("Network.emulateNetworkConditions", { offline: !is, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
const note = `document.getElementById("stale")`;

try {
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
  await page.open(path);
  await sleep(500);
  await connected(false);
  await click("#say-text");
  await page.ask("Input.insertText", { text: "seen from the lift" });
  const was = await page.run("performance.timeOrigin");
  await click("#say button.do");
  await page.until(`${note} && !${note}.hidden && ${note}.textContent.includes("Sent as soon as the connection is back: Note")`, "the page says that it waits");
  // Twice is once.
  await click("#say button.do");
  await sleep(300);
  must(await page.run(`performance.timeOrigin === ${was} && document.getElementById("say-text").value === "seen from the lift"`), "the page stays, and what was typed");
  must(times(await page.run(`${note}.textContent`), "Note") === 1, "what is pressed twice waits once");
  must(times(await log(), "seen from the lift") === 0, "nothing was sent");
  await connected(true);
  await page.until(`performance.timeOrigin !== ${was} && document.querySelector("[data-live=log]")?.textContent.includes("seen from the lift")`, "it is sent when the connection is back");
  must(times(await page.run(`document.querySelector("[data-live=log]").textContent`), "seen from the lift") === 1, "once");

  // Somebody thinks better of it.
  await sleep(500);
  await connected(false);
  await click("#say-text");
  await page.ask("Input.insertText", { text: "not after all" });
  await click("#say button.do");
  await page.until(`${note}.textContent.includes("Do not send")`, "it waits again");
  await click("#stale button");
  await connected(true);
  await page.until(`${note}.hidden`, "the connection is back");
  await sleep(1500);
  must(times(await log(), "not after all") === 0, "what was taken back is not sent");
  must((await page.run(`document.getElementById("say-text").value`)) === "not after all", "and is still there");

  // Long after, it is asked about. The browser's clock goes on by eleven minutes.
  await page.open(path);
  await sleep(500);
  await connected(false);
  await click("#say-text");
  await page.ask("Input.insertText", { text: "much later" });
  await click("#say button.do");
  await page.until(`${note}.textContent.includes("Do not send")`, "it waits once more");
  await page.run(`(() => { const now = Date.now.bind(Date); Date.now = () => now() + 11 * 60 * 1000; return true; })()`);
  await connected(true);
  await page.until(`${note}.textContent.includes("Pressed 11 min ago and not sent: Note")`, "what was pressed long ago is asked about");
  await sleep(500);
  must(times(await log(), "much later") === 0, "and not sent by itself");
  const then = await page.run("performance.timeOrigin");
  await click("#stale button");
  await page.until(`performance.timeOrigin !== ${then} && document.querySelector("[data-live=log]")?.textContent.includes("much later")`, "it is sent when somebody says so");

  // Cancelled meanwhile: what is refused stays, each with why and what was typed, also where its form is gone.
  await page.open(path);
  await sleep(500);
  await connected(false);
  await page.run(`(() => { const severity = document.querySelector('form[action$="/severity"]');
    severity.querySelector('[name="severity"]').value = "sev2"; severity.querySelector('[name="why"]').value = "worse than thought"; severity.requestSubmit();
    document.querySelector('form[action$="/mitigate"]').requestSubmit(); return true; })()`);
  await page.until(`${note}.textContent.includes("Sent as soon as")`, "two wait");
  const ended = await fetch(`${path}/cancel`, { method: "POST", body: new URLSearchParams({ why: "it was the lift" }), redirect: "manual" });
  must(ended.status === 303, "somebody cancels it meanwhile");
  await connected(true);
  const box = `document.getElementById("refused")`;
  await page.until(`${box}?.querySelectorAll(".refusal").length === 2`, "both that were refused stay on the page");
  must(await page.run(`${box}.textContent.includes("worse than thought")`), "with what was typed");
  must(await page.run(`[...${box}.querySelectorAll(".refusal > p:not(.typed)")].every((p) => /cancelled/.test(p.textContent) && !/just now/.test(p.textContent))`), `each says why: ${await page.run(`${box}.textContent`)}`);
  await page.until(`!document.querySelector('form[action$="/severity"]')`, "their forms go");
  must(await page.run(`${box}.querySelectorAll(".refusal").length === 2 && ${box}.textContent.includes("worse than thought")`), "and what was refused is still there");
  await click("#refused .refusal button");
  await sleep(1000);
  must(await page.run(`${box}.querySelectorAll(".refusal").length === 2`), "sent again and refused again it stays");
  await click("#refused .refusal button:last-of-type");
  await page.until(`${box}.querySelectorAll(".refusal").length === 1`, "what is dropped goes, and the other stays");
  console.log("ok: a lost connection loses nothing");
  await browser.close();
} catch (error) {
  console.log(String(error.stack ?? error), page.complaints.join("\n"));
  await browser.close();
  process.exitCode = 1;
}
