// The first page from an empty store, by clicks and keys alone and without a script: `node first.mjs BASE_URL SET_UP_URL MAIL_FILE`.
// The mail server writes the path of the link that it was given to MAIL_FILE. Counts what it took, prints one line per finding
// that holds, and ends with 1 at the first that does not.
import { readFile } from "node:fs/promises";
import { launch, sleep } from "./cdp.mjs";
import { hand } from "./hand.mjs";

// What the first page may take, from the set-up link to its acknowledgement.
const ACTIONS_MAX = 20;
// How long a mail may take.
const MAIL_MS = 20000;

const [base, setUp, mailFile] = process.argv.slice(2);
const browser = await launch();
const page = await browser.page();
const must = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
};
const says = (words) => page.run(`document.body.innerText.includes(${JSON.stringify(words)})`);
const here = () => page.run("location.pathname");
const steps = () => page.run(`document.querySelectorAll(".first li.made").length`);
const mailed = async () => {
  for (let waited = 0; waited < MAIL_MS; waited += 100) {
    const path = await readFile(mailFile, "utf8").catch(() => "");
    if (path) return path.trim();
    await sleep(100);
  }
  throw new Error("no mail came");
};

try {
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 900, deviceScaleFactor: 1, mobile: false });
  await page.ask("Emulation.setScriptExecutionDisabled", { value: true });
  const me = hand(page);
  await page.open(setUp);
  await me.type("Ana Ruiz");
  await me.key("Tab");
  await me.type("ana@example.org");
  await me.click("#password");
  await me.type("a quiet night at sea");
  await me.enter();
  must((await says("Before the first page")) && (await steps()) === 1, "the board says what is missing, and how one is reached is made");
  must(!(await says("allclear declare")), "and teaches no command that needs a token");
  await me.go(".first a.press", "Who is on call");
  must((await page.run(`document.querySelector('[name="layers.0.people.0"]').value`)) === "ana-ruiz", "the schedule has its first person");
  await me.go("button.do.big");
  must((await here()) === "/settings/escalation/new", "a saved step leads to the next");
  await me.go("button.do.big");
  must((await here()) === "/settings/service/new", "and a policy to its service");
  await me.type("Checkout");
  await me.enter();
  must((await here()) === "/settings/integration/new" && (await page.run(`document.querySelector('[name="service"]').value`)) === "checkout", "and that to its sender");
  await me.type("Cron");
  await me.choose(`select[name="kind"]`, "json");
  await me.go("button.do.big");
  must((await says(`${base}/in/json/`)) && (await says("Waiting for the first alarm")) && (await says("curl -sS")), "the sender has the whole address, and what to copy");
  await me.go("a.press", "Go on to the next step");
  must((await steps()) === 4, "four of five are made");
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
  must(page.complaints.length === 0, `no complaint ${page.complaints}`);
} catch (why) {
  console.log(String(why.stack ?? why));
  process.exitCode = 1;
} finally {
  await browser.close();
}
