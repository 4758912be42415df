// The first page from an empty store, by clicks and keys alone and without a script: `node first.mjs BASE_URL SET_UP_URL MAIL_FILE`.
// The mail server writes the path of the link that it was given to MAIL_FILE. Counts what it took, prints one line per finding
// that holds, and ends with 1 at the first that does not.
import { readFile } from "node:fs/promises";
import { begin, nameAndMail, password } from "./begin.mjs";
import { sleep } from "./cdp.mjs";
import { hand } from "./hand.mjs";

// What the first page may take, from the set-up link to its acknowledgement.
const ACTIONS_MAX = 20;
// How long a mail may take.
const MAIL_MS = 20000;
// What it may take from the open link of a message to the end of its incident, and to take a storm of so many.
const RESOLVED_MAX = 3;
const STORM_MAX = 3;
const STORM = 35;

const [base, setUp, mailFile] = process.argv.slice(2);
await begin(async ({ page, must, says }) => {
  const here = () => page.run("location.pathname");
  const steps = () => page.run(`document.querySelectorAll(".first li.made").length`);
  // The link of a mail that came after another.
  const mailed = async (last = "") => {
    for (let waited = 0; waited < MAIL_MS; waited += 100) {
      const path = (await readFile(mailFile, "utf8").catch(() => "")).trim();
      if (path && path !== last) return path;
      await sleep(100);
    }
    throw new Error("no mail came");
  };
  const me = hand(page);
  await page.open(setUp);
  await nameAndMail(me);
  await password(me);
  await me.enter();
  must((await says("Before the first page")) && (await steps()) === 1, "the board says what is missing, and how one is reached is made");
  must(!(await says("allclear declare")), "and teaches no command that needs a token");
  await me.go(".first a.press", "Who is on call");
  must((await page.run(`document.querySelector('[name="layers.0.people.0"]').value`)) === "ana-ruiz", "the schedule has its first person");
  await me.go("button.do.big");
  must((await here()) === "/settings/catch_all/new" && (await page.run(`document.querySelector('[name="targets.0"]').value`)) === "person:ana-ruiz", "a saved step leads to the next: the catch-all, filled in");
  await me.go("button.do.big");
  must((await here()) === "/settings/escalation/new", "and that to a policy");
  must((await page.run(`document.querySelector('[name="repeat"]').value`)) === "2" && (await page.run(`document.querySelector('[name="steps.1.page.0"]') !== null`)), "which begins with further rounds and a second step to fill");
  await me.go("button.do.big");
  must((await here()) === "/settings/service/new", "and a policy to its service");
  await me.type("Checkout");
  await me.enter();
  must((await here()) === "/settings/integration/new" && (await page.run(`document.querySelector('[name="service"]').value`)) === "checkout", "and that to its sender");
  await me.type("Cron");
  await me.choose(`select[name="kind"]`, "json");
  await me.go("button.do.big");
  must((await says(`${base}/in/json/`)) && (await says("Waiting for the first alarm")) && (await says("curl -sS")), "the sender has the whole address, and what to copy");
  const sender = await page.run(`document.body.innerText.match(/http\\S+\\/in\\/json\\/[^\\s"'\\\\]+/)[0]`);
  await me.go("a.press", "Go on to the next step");
  must((await steps()) === 5, "five of six are made");
  await me.go("button", "Send me a test page");
  must(await says("waiting for you to acknowledge it"), "a test page is on its way");
  // The link in the mail is one action, as a tap on it is.
  const link = await mailed();
  me.counted.actions += 1;
  await page.open(base + link);
  must(await says("Test page for Ana Ruiz"), "it arrived, and says that it is a test");
  await me.go("button", "Acknowledge");
  const { actions, characters, yaml } = me.counted;
  console.log(`counted: the first page: ${actions} actions, ${characters} characters, ${yaml} of YAML`);
  must(actions <= ACTIONS_MAX && yaml === 0, `the first page takes at most ${ACTIONS_MAX} actions and no YAML`);
  await page.open(`${base}/menu`);
  must((await says("acknowledged after")) && (await says("delivered")), "Me has its receipt");
  await page.open(base);
  must(!(await says("Before the first page")), "and the list is gone");
  must((await says("Nothing is open")) && !(await says("Test page")), "nothing of it is left on the board");

  // The test alarm of a sender arrives where its page waits for it, without being asked for again.
  await page.ask("Emulation.setScriptExecutionDisabled", { value: false });
  await page.open(`${base}/settings/integration/cron`);
  must(await says("Waiting for the first alarm"), "the sender's page waits");
  await page.run(`window.sameHere = true; fetch("/settings/integration/cron/test", { method: "POST", body: new URLSearchParams(), redirect: "manual" }).then(() => 1)`);
  for (let waited = 0; waited < MAIL_MS && !(await says("Last alarm")); waited += 100) await sleep(100);
  must((await says("Test alarm of Cron")) && (await page.run("window.sameHere === true")), "and shows the alarm when it comes");
  for (const width of [390, 320]) {
    await page.ask("Emulation.setDeviceMetricsOverride", { width, height: 844, deviceScaleFactor: 1, mobile: true });
    for (const path of ["/settings/integration/cron", "/menu"]) {
      await page.open(base + path);
      must((await page.run("document.documentElement.scrollWidth")) <= width, `${path} fits ${width}`);
    }
  }

  // Signed out, from the link of a message to the end of its incident.
  const alarm = (title) => fetch(sender, { method: "POST", body: JSON.stringify({ title, dedup_key: title, severity: "critical" }) });
  const last = await mailed();
  must((await alarm("Nightly export failed")).ok, "the sender's address takes an alarm");
  const paged = await mailed(last);
  const { cookies } = await page.ask("Network.getCookies", { urls: [base] });
  await page.ask("Network.clearBrowserCookies");
  await page.open(base + paged);
  const woken = hand(page);
  await woken.go("button", "Acknowledge");
  await woken.click("summary", "It is over");
  await woken.go("form[action$='/resolve'] button");
  must(await says("It is resolved"), "it is resolved by its link alone");
  console.log(`counted: link to resolved, signed out: ${woken.counted.actions} actions`);
  must(woken.counted.actions <= RESOLVED_MAX, `link to resolved takes at most ${RESOLVED_MAX} actions`);
  await page.ask("Network.setCookies", { cookies: cookies.map(({ name, value, path, httpOnly, sameSite }) => ({ name, value, path, httpOnly, sameSite, url: base })) });

  // A storm of one cause.
  const waiting = () => page.run(`Number(document.body.innerText.match(/(\\d+) incidents wait for you/)?.[1] ?? 0)`);
  for (let n = 1; n <= STORM; n += 1) must((await alarm(`Disk full on db${n}`)).ok, `alarm ${n}`);
  for (let waited = 0; waited < MAIL_MS && (await waiting()) < STORM; waited += 500) {
    await sleep(500);
    await page.open(base);
  }
  const many = await waiting();
  must(many >= STORM, `all ${STORM} of them wait for her: ${many}`);
  const storm = hand(page);
  await storm.click("summary", "Acknowledge all");
  await storm.go("button", `Acknowledge these ${many}`);
  must(await says(`You have ${many} incidents`), "all of them are hers");
  console.log(`counted: ${STORM} of one cause: ${storm.counted.actions} actions`);
  must(storm.counted.actions <= STORM_MAX, `${STORM} of one cause take at most ${STORM_MAX} actions`);

  // A session that ended: what is sent leads to where one signs in, back to its page, and nothing that was typed is lost.
  const incident = new URL(await page.run(`document.querySelector(".board .title").href`)).pathname;
  await page.open(base + incident);
  // Before it is connected the page would find out by itself that the session is over.
  await sleep(500);
  await page.ask("Network.clearBrowserCookies");
  await storm.click("#say-text");
  await storm.type("seen before I was signed out");
  await storm.go("#say button.do");
  must((await here()) === "/sign-in" && !(await page.run("location.href")).includes("seen"), "it is asked who one is, and the address tells nothing of it");
  await page.run(`document.querySelector('[name="account"]').value = "ana-ruiz"`);
  await password(storm);
  await storm.enter();
  must((await here()) === incident, "signed in again one is back on its page");
  must((await page.run(`document.getElementById("say-text").value`)) === "seen before I was signed out", "and what was typed is there");
});
