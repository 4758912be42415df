// An incident from its declaration to a closed action on a phone whose browser runs no script:
// `node noscript.mjs BASE_URL`. What a hand would do: it taps what it sees and types. Prints one line per
// form that works, and ends with 1 at the first that does not.
import { launch, sleep } from "./cdp.mjs";

const [base] = process.argv.slice(2);
const browser = await launch();
const page = await browser.page();
const PATIENCE = 100;

const tap = async (selector) => {
  // The looking is ours, from outside the page; the tap is the browser's own.
  const at = await page.run(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); if (!e) return null;
    e.scrollIntoView({ block: "center", behavior: "instant" }); const r = e.getBoundingClientRect(); return r.width ? { x: r.x + r.width / 2, y: r.y + r.height / 2 } : null; })()`);
  if (!at) throw new Error(`nothing to tap at ${selector} on ${await page.run("location.href")}`);
  for (const type of ["mousePressed", "mouseReleased"]) await page.ask("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
};
const write = async (selector, text) => {
  await tap(selector);
  await page.run(`document.querySelector(${JSON.stringify(selector)}).select?.()`);
  await page.ask("Input.insertText", { text });
};
const choose = (selector, value) => page.run(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.value = ${JSON.stringify(value)}; return e.value === ${JSON.stringify(value)}; })()`);
// Unfolds whatever holds it, from the outside in.
const unfold = async (selector) => {
  for (let n = 0; n < 5; n += 1) {
    const closed = await page.run(`(() => { let found = null; for (let d = document.querySelector(${JSON.stringify(selector)})?.closest("details"); d; d = d.parentElement.closest("details")) if (!d.open) found = d;
      if (!found) return null; found.querySelector("summary").id ||= "tap-me"; return "#" + found.querySelector("summary").id; })()`);
    if (!closed) return;
    await tap(closed);
    await page.run(`document.querySelector(${JSON.stringify(closed)}).removeAttribute("id")`);
  }
};
const leave = async (deed) => {
  const was = await page.run("performance.timeOrigin");
  await deed();
  for (let n = 0; n < PATIENCE; n += 1) {
    await sleep(100);
    if (await page.run(`performance.timeOrigin !== ${was} && document.readyState === "complete"`).catch(() => false)) return;
  }
  throw new Error(`nothing came; the page says ${await page.run("document.activeElement?.validationMessage ?? ''")}`);
};
// Fills a form and presses its button; `wanted` stands on the page after it.
const does = async (address, form, fields, wanted, button = "button[type=submit]:not(.vh)") => {
  if (address) await page.open(base + address);
  await unfold(`${form} ${button}`);
  for (const [name, value] of Object.entries(fields)) {
    const field = `${form} [name="${name}"]`;
    const kind = await page.run(`(() => { const e = document.querySelector(${JSON.stringify(field)}); return e ? e.nodeName + "/" + (e.type || "") : "none"; })()`);
    if (kind === "none") throw new Error(`${form} has no field ${name}`);
    if (/radio|checkbox/.test(kind)) await tap(value === true ? field : `${field}[value="${value}"]`);
    else if (/SELECT|date/.test(kind)) { if (!(await choose(field, value))) throw new Error(`${field} does not take ${value}`); }
    else await write(field, value);
  }
  await leave(() => tap(`${form} ${button}`));
  const text = await page.run("document.documentElement.innerText + [...document.querySelectorAll('textarea,[hidden]')].map((e) => e.value).join(' ') + document.documentElement.textContent");
  if (/This was not (done|saved)/.test(text)) throw new Error(`${form} was refused: ${text.slice(0, 600)}`);
  if (!text.includes(wanted)) throw new Error(`${form}: “${wanted}” is not on ${await page.run("location.href")}: ${text.slice(0, 600)}`);
  console.log(`ok: ${form} ${Object.values(fields).join(", ")}`);
};

try {
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
  await page.ask("Emulation.setScriptExecutionDisabled", { value: true });
  await does("/declare", 'form[action="/declare"]', { title: "By hand, without a script", severity: "sev2", service: "checkout" }, "By hand, without a script", "button.do");
  const path = await page.run("location.pathname");
  if ((await page.run("document.getElementById('stale').hidden")) !== true) throw new Error("a page without a script says that it is stale");
  const of = (verb) => `form[action="${path}/${verb}"]`;
  const tab = (name) => `${path}?tab=${name}`;
  await does(path, of("acknowledge"), {}, "acknowledged");
  await does(path, of("severity"), { severity: "sev1", why: "It spreads" }, "It spreads");
  await does(tab("log"), ".say", { text: "Seen in the graphs" }, "Seen in the graphs");
  await does(tab("log"), ".say", { text: "Fail over now", reversible: true }, "Fail over now", `button[formaction="${path}/decision"]`);
  await does(tab("people"), `details[data-verb="role"] ${of("role")}`, { role: "scribe", person: "ben", do: "take", why: "He types fast" }, "made Ben Okafor scribe: He types fast");
  await does(tab("people"), of("time"), { instant: "impact_started", at: "2026-01-05T08:00", why: "From the graphs" }, "From the graphs");
  await does(tab("tasks"), `details[data-verb="task"] ${of("task")}`, { text: "Roll back", owner: "ben", within: "15m" }, "Roll back");
  await does(tab("tasks"), `.task-acts > ${of("task")}`, {}, "finished task 1", 'button[value="done"]');
  await does(tab("more"), of("update"), { text: "Some cards fail", "to:management": true, next_within: "30m" }, "2 people and 1 address outside");
  await does(null, ".preview form", {}, "Some cards fail");
  await does(path, of("rename"), { title: "Card payments fail" }, "renamed it");
  await does(path, of("restrict"), { why: "Names of customers" }, "Names of customers");
  await does(path, of("admit"), { person: "fay", why: "She knows them" }, "Fay Lindqvist");
  await does(path, of("open_up"), { why: "No names left" }, "No names left");
  await does(path, of("escalate"), { whom: "escalation:platform", why: "The database too" }, "The database too");
  await does(path, of("mitigate"), { note: "Half of it works" }, "Half of it works");
  await does(path, of("resolve"), { note: "All of it works" }, "All of it works");
  const review = await page.run(`document.querySelector('a[href^="/reviews/"]').getAttribute("href")`);
  await does(review, ".review-form", { text: "# What we learned" }, "What we learned", `button[formaction="${review}/publish"]`);
  await does(path, of("close"), {}, "closed it");
  await does("/actions", 'form[action="/actions"]', { text: "Alert earlier", owner: "dana", due: "2036-12-04", incident: path.split("/").pop() }, "Alert earlier");
  const action = await page.run(`[...document.querySelectorAll(".action")].find((li) => li.textContent.includes("Alert earlier")).dataset.key`);
  await does("/actions", `form[action="/actions/${action}/done"]`, { note: "On the third failure" }, "On the third failure");
  await does("/on-call", 'details form[action="/on-call/override"]', { schedule: "platform-primary", person: "ana" }, "Ana Ruiz");
  await does("/on-call/schedules/platform-primary?view=week&at=2036-12-03&from=2036-12-03T08:00:00Z&to=2036-12-03T12:00:00Z", '#take form[method="post"]', { person: "ben", effect: "replaces" }, "override ovr-");
  await does("/settings/team/new", ".of-form", { id: "night", name: "Night watch" }, "Night watch");
  await does("/search", "main form", { q: "card payments" }, "Card payments fail");
  if (page.complaints.length > 0) throw new Error(page.complaints.join("; "));
  console.log("ok: all of it without a script");
  await browser.close();
} catch (error) {
  console.log(String(error.stack ?? error), page.complaints.join("\n"));
  await browser.close();
  process.exitCode = 1;
}
