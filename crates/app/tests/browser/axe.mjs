// Every page before axe-core, at the widths of a phone and a laptop, light and dark:
// `node axe.mjs AXE_JS DEMO_URL INVITATION_URL SET_UP_URL`. Prints one line per page, and what is
// wrong on it; ends with 1 where anything is.
//
// The rules of WCAG 2.2 at level AA and axe's best practices, all of them: none is switched off.
import { readFileSync } from "node:fs";
import { launch, sleep } from "./cdp.mjs";

const [source, base, invitation, setUp] = process.argv.slice(2);
const axe = readFileSync(source, "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const SIZES = { phone: [390, 844, true], laptop: [1280, 800, false] };
const SCHEMES = ["light", "dark"];
// The demo's first pages, and their messages, come within its first 15 seconds.
const UNFOLDS_MS = 60000;
// The only rules that see a difference between light and dark: of the second scheme they alone are
// asked, since what the others look at is the same page.
const OF_COLOUR = ["color-contrast", "link-in-text-block"];
// What was planted, and the browser's word about it, has come by then.
const SETTLED_MS = 200;

const browser = await launch();
const page = await browser.page();
const wrong = [];
let runs = 0;

const complain = (name) => {
  for (const complaint of page.complaints.splice(0)) wrong.push(`${name}: the browser complains: ${complaint}`);
};
const analyse = async (only = undefined) => {
  const runOnly = only ? { type: "rule", values: only } : { type: "tag", values: RULES };
  if (!(await page.run(`typeof axe === "object"`))) await page.run(axe + ";0");
  runs += 1;
  return page.run(`axe.run(document, { runOnly: ${JSON.stringify(runOnly)}, resultTypes: ["violations"] })
    .then((found) => found.violations.map((v) => ({ rule: v.id, help: v.help, on: v.nodes.slice(0, 5).map((n) => n.target.join(" ") + ": " + n.html.slice(0, 120) + " (" + n.failureSummary.split("\\n").slice(1).join("; ").trim().slice(0, 300) + ")") })))`);
};
// The page that is open, at all widths and in both schemes.
const look = async (name) => {
  const before = wrong.length;
  for (const [size, [width, height, mobile]] of Object.entries(SIZES)) {
    await page.ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    for (const scheme of SCHEMES) {
      await page.ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }] });
      await page.run(`new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn())))`);
      for (const { rule, help, on } of await analyse(scheme === SCHEMES[0] ? undefined : OF_COLOUR)) wrong.push(`${name}, ${size}, ${scheme}: ${rule}: ${help}\n    ${on.join("\n    ")}`);
    }
  }
  // What is folded away is looked at as well, once.
  const unfolded = await page.run(`(() => { const folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) { one.removeAttribute("name"); one.open = true; } return folded.length; })()`);
  if (unfolded > 0) for (const { rule, help, on } of await analyse()) wrong.push(`${name}, unfolded: ${rule}: ${help}\n    ${on.join("\n    ")}`);
  complain(name);
  console.log(`${wrong.length === before ? "ok" : "not ok"}: ${name}`);
};
const show = async (name, path) => {
  await page.open(path.startsWith("http") ? path : base + path);
  await look(name);
};
// Fields of a form of the page that is open, and its button; waits for what comes then.
const submit = async (form, fields = {}) => {
  const loaded = page.run(`performance.timeOrigin`);
  const was = await loaded;
  await page.run(`(() => { const f = document.querySelector(${JSON.stringify(form)}); f.noValidate = true;
    for (const [k, v] of Object.entries(${JSON.stringify(fields)})) f.elements[k].value = v; setTimeout(() => f.requestSubmit(), 0); })()`);
  for (let n = 0; n < 100; n += 1) {
    await sleep(100);
    if (await page.run(`performance.timeOrigin !== ${was} && document.readyState === "complete"`).catch(() => false)) return;
  }
  throw new Error(`nothing came after ${form}`);
};
const post = async (path, fields = {}) => {
  const answer = await fetch(base + path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  if (answer.status >= 400) throw new Error(`${path}: ${answer.status} ${(await answer.text()).slice(0, 2000)}`);
  return answer.headers.get("location");
};
const declare = async (title, more = {}) => post("/declare", { title, severity: "sev3", ...more });
const first = async (path, selector) => {
  await page.open(base + path);
  const href = await page.run(`document.querySelector(${JSON.stringify(selector)})?.getAttribute("href") ?? ""`);
  if (!href) throw new Error(`${path} has no ${selector}`);
  return href;
};

// A day from now on, as a field takes it.
const day = (days) => new Date(Date.now() + days * 864e5).toISOString().slice(0, 16);
// The page of the alerts of an incident that has some.
const withAlerts = async () => `${await first("/", "ol.board .title")}/alerts`;

// A check that cannot fail is no check: what is broken on purpose must be seen.
const proveItself = async () => {
  await page.open(base + "/declare");
  await page.run(`(() => { const p = document.createElement("p"); p.textContent = "hardly to be read"; p.style.setProperty("color", "oklch(0.9 0.1 90)");
    document.querySelector("main").append(p, document.createElement("input"));
    const s = document.createElement("script"); s.textContent = "1"; document.body.append(s); console.error("on purpose"); })()`);
  await sleep(SETTLED_MS);
  const rules = (await analyse()).map(({ rule }) => rule);
  for (const rule of ["color-contrast", "label"]) if (!rules.includes(rule)) throw new Error(`axe does not see a planted ${rule}: ${rules}`);
  for (const sign of [/Content Security Policy/i, /on purpose/]) if (!page.complaints.some((c) => sign.test(c))) throw new Error(`the browser does not tell of ${sign}: ${page.complaints}`);
  page.complaints.length = 0;
  console.log("ok: what is planted is seen");
};

try {
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
  await proveItself();

  // One incident of each state; the candidate and the first page come from the demo's own story.
  const declared = await declare("Taken by nobody yet", { service: "checkout", page: "on" });
  const led = await declare("Led, worked on and told");
  await post(`${led}/acknowledge`);
  await post(`${led}/role`, { role: "commander" });
  await post(`${led}/task`, { text: "Look at the logs", owner: "ben", within: "30m" });
  await post(`${led}/update`, { text: "Card payments fail for some", "to:customers": "1", next_within: "20m" });
  await post(`${led}/note`, { text: "A note with https://example.org/a-link" });
  await post(`${led}/decision`, { text: "Go back to the version before", reversible: "on" });
  const mitigated = await declare("Mitigated");
  for (const verb of ["acknowledge", "mitigate"]) await post(`${mitigated}/${verb}`);
  const resolved = await declare("Resolved, with its review", { severity: "sev2" });
  for (const verb of ["acknowledge", "resolve"]) await post(`${resolved}/${verb}`);
  const closed = await declare("Closed");
  for (const verb of ["acknowledge", "resolve", "close"]) await post(`${closed}/${verb}`);
  const cancelled = await declare("Cancelled");
  await post(`${cancelled}/cancel`, { why: "a drill" });
  const merged = await declare("Merged away");
  await post(`${merged}/merge`, { into: led.split("/").pop() });
  const hidden = await declare("Private", { private: "on" });

  for (const [name, path] of Object.entries({ declared, led, mitigated, resolved, closed, cancelled, merged, hidden })) await show(`incident ${name}`, path);
  await show("alerts to link, none", `${led}/alerts`);
  await fetch(`${base}/in/json/demo-monitor-key`, { method: "POST", body: JSON.stringify({ title: "Only noted", dedup_key: "axe", severity: "info" }) });
  await page.until(`fetch(${JSON.stringify(`${led}/alerts`)}).then((a) => a.text()).then((t) => t.includes("Only noted"))`, "an alert without an incident");
  await show("alerts to link", `${led}/alerts`);
  for (const tab of ["people", "tasks", "more"]) await show(`incident, tab ${tab}`, `${led}?tab=${tab}`);
  await page.open(base + led);
  const verbs = await page.run(`[...new Set([...document.querySelectorAll("details[data-verb]")].map((d) => d.dataset.verb))]`);
  for (const verb of verbs) await show(`incident, form ${verb}`, `${led}?do=${verb}`);
  await page.open(`${base}${led}?do=cancel`);
  await submit("details[data-verb=cancel] form", { why: "" });
  await look("incident, a form refused");

  await page.open(base + "/");
  await page.until(`document.querySelector("main").textContent.includes("drifts")`, "the demo's candidate");
  await show("board", "/");
  await show("candidate", await first("/", ".candidates .title"));
  // Several that wait for the reader, with the bar that takes them at once.
  const bar = `document.querySelector(".waiting details") !== null`;
  for (let n = 0; n < 3; n += 1) await declare(`Waits for somebody ${n}`, { service: "checkout", page: "on" });
  await page.open(base + "/");
  if (!(await page.run(bar))) {
    // Whoever is on call now is not the reader: their rota gives it to them.
    await post("/settings/override", { schedule: "payments-primary", person: "ana", starts_at: day(-1), ends_at: day(1) });
    for (let n = 3; n < 6; n += 1) await declare(`Waits for somebody ${n}`, { service: "checkout", page: "on" });
  }
  await page.until(`fetch("/").then((a) => a.text()).then((t) => t.includes("wait for you"))`, "several wait for the reader");
  await show("board with what waits for the reader", "/");
  await page.open(base + "/");
  await page.run(`document.querySelector(".waiting details").open = true`);
  await look("board, acknowledge all");
  await page.press("?");
  await look("board, the keys");
  await page.run(`document.querySelector("dialog[open]").close()`);
  await page.press(".");
  await look("board, the palette");
  for (const [name, path] of [
    ["wall", "/?wall"], ["board with a filter", "/?severity=sev1"], ["incident on a wall", `${led}?wall`],
    ["search", "/search?q=checkout"], ["search, nothing found", "/search?q=zzzz"],
    ["refused lately", "/settings/refused"], ["the audit log", "/settings/audit"], ["mine", "/?mine"], ["a new policy", "/settings/escalation/new?steps.0.page.0=schedule:payments-primary"],
    ["the alerts of an incident", await withAlerts()], ["a form of the settings", "/settings/service/checkout"], ["a person's form", "/settings/person/ana"],
    ["settings of a kind", "/settings/person"], ["settings of a kind, none yet", "/settings/severity"], ["a new person", "/settings/person/new"], ["a new override", "/settings/override/new"], ["a calendar of a month", "/on-call/schedules/payments-primary?view=month"], ["a calendar of a week", "/on-call/schedules/payments-primary?view=week"], ["a time that is picked", "/on-call/schedules/platform-primary?view=day&at=2036-12-03&from=2036-12-03T08:00:00Z&to=2036-12-03T12:00:00Z"],
    ["a new route", "/settings/route/new"], ["a schedule and its weeks", "/settings/schedule/payments-primary"], ["a new schedule", "/settings/schedule/new"], ["contacts as text", "/settings/person/new?contacts.%23=text"], ["a new plan", "/settings/plan/new"], ["a sender", "/settings/integration/monitor"],
    ["no such incident", "/incidents/INC-9999"], ["no such page", "/nowhere"], ["no such link", "/a/none"], ["no such review", "/reviews/none"],
    ["the API's page", "/api/docs"], ["sign-in", "/sign-in"], ["me, without a session", "/me"],
  ]) await show(name, path);
  await page.open(base + "/");
  const places = await page.run(`[...document.querySelectorAll(".rail nav a, .rail a.declare, .dock a")].map((link) => link.getAttribute("href"))`);
  for (const path of new Set(places)) await show(path, path);
  await show("a service", await first("/services", ".list a.main"));
  const review = await first("/reviews", ".list a.main");
  await show("a review", review);
  await page.open(`${base}${resolved}`);
  const drafted = await page.run(`document.querySelector("a[href^='/reviews/']")?.getAttribute("href") ?? ""`);
  await show("a review's draft", drafted || review);
  await page.open(base + "/declare");
  await submit("main form", { title: "" });
  await look("declare, refused");

  await page.open(base + "/settings/person/new");
  await submit("main form.of-form", { id: "Not an id", name: "", "contacts.0.address": "at home" });
  await look("settings, refused");
  await page.open(base + "/settings/integration/new");
  await submit("main form.of-form", { id: "axe", kind: "json" });
  await look("settings, a secret that was made");
  await show("settings, a form that may be changed", "/settings/integration/axe");

  // The page behind a message's link: before and after, taken and passed on.
  // A link that still asks for somebody: what unfolds may end one at any time.
  const asking = async () => {
    for (const began = Date.now(); Date.now() - began < UNFOLDS_MS; await sleep(1000)) {
      await page.open(base + "/outbox");
      const found = await page.run(`[...document.querySelectorAll(".messages .press")].map((a) => new URL(a.href).pathname)`);
      for (const link of found) {
        if ((await (await fetch(base + link)).text()).includes("/decline")) return link;
      }
    }
    throw new Error("no message has a link that asks for somebody");
  };
  await show("link", await asking());
  await page.open(base + (await asking()));
  await submit("form[action$=decline]");
  await look("link, after passing on");
  const taken = await asking();
  await page.open(base + taken);
  await submit("form:not([action$=decline])");
  await look("link, after acknowledging");
  await show("link, of what is over", taken);

  // Doors.
  await page.open(base + "/sign-in");
  await submit("main form", { account: "ana", password: "wrong wrong wrong" });
  await look("sign-in, refused");
  await show("set-up", setUp);
  await submit("main form", { name: "Ana Ruiz", email: "ana@example.org", password: "a quiet night at sea" });
  if (!(await page.run(`document.querySelector(".first") !== null`))) throw new Error("the first run is not on the board");
  await look("first run");
  const fresh = new URL(setUp).origin;
  await show("first run, a step", `${fresh}/first`);
  await show("invitation", invitation);
  await submit("main form", { password: "short" });
  await look("invitation, refused");
  await page.open(invitation);
  await submit("main form", { password: "a quiet night at sea" });
  await look("board, signed in");
  await show("me, signed in", "/me");
  await show("invitation, used", invitation);
} catch (error) {
  complain("at the end");
  wrong.push(String(error.stack ?? error));
}
await browser.close();
for (const line of wrong) console.log(line);
console.log(wrong.length === 0 ? `ok: 0 violations and no complaint in ${runs} looks` : `${wrong.length} wrong in ${runs} looks`);
process.exitCode = wrong.length === 0 ? 0 : 1;
