// A rota of two from an empty store, by clicks and keys alone and without a script: `node rota.mjs BASE_URL SET_UP_URL`. Counts
// what it took, prints one line per finding that holds, and ends with 1 at the first that does not.
import { begin, nameAndMail, password } from "./begin.mjs";
import { sleep } from "./cdp.mjs";
import { hand } from "./hand.mjs";

// What a rota of two may take, from a signed-in administrator.
const ACTIONS_MAX = 35;

const [base, setUp] = process.argv.slice(2);
await begin(async ({ page, must, says, value }) => {

  // The first administrator: refused once, and everything is still there but the password.
  const first = hand(page);
  await page.open(setUp);
  await first.click("#name");
  await nameAndMail(first);
  await first.click("#id");
  await first.type("Ana R");
  await password(first);
  await first.go("main button");
  must(await says("Id: `Ana R` cannot be an id"), "the set-up form says which field is wrong");
  must((await value("name")) === "Ana Ruiz" && (await value("email")) === "ana@example.org" && (await value("id")) === "Ana R", "and keeps what was typed");
  must((await value("password")) === "" && (await says("never shown again")), "but for the password, and says so");
  await page.run(`document.querySelector("#id").value = ""`);
  await password(first);
  await first.enter();

  // The rota.
  const me = hand(page);
  await me.go(".rail a", "Settings");
  await me.go(`a.add[href="/settings/person/new"]`);
  for (const [name, mail] of [["Ben Ode", "ben@example.org"], ["Cho Lin", "cho@example.org"]]) {
    await me.type(name);
    await me.key("Tab");
    await me.key("Tab");
    await me.type(mail);
    await me.enter();
    must(await says("Saved."), `${name} is a person`);
    must((await value("contacts.0.address")) === mail && (await value("contacts.0.id")) === "mail", "with a contact");
    if (name === "Ben Ode") await me.go(".done a", "New person");
  }
  await me.go(".done a", "New team");
  await me.type("Payments");
  await me.click(`input[name="members.ben-ode"]`);
  await me.go("button.do.big");
  await me.go(".done a", "New schedule");
  await me.type("Payments rota");
  await me.choose(`select[name="layers.0.people.0"]`, "Ben Ode");
  await me.choose(`select[name="layers.0.people.1"]`, "Cho Lin");
  await me.go("button.do.big");
  must(await says("Saved."), "the schedule is saved");
  must((await page.run(`document.querySelectorAll("#two-weeks svg rect").length`)) > 1, "and its two weeks stand under it");
  await me.go(".done a", "New escalation policy");
  must((await value("steps.0.page.0")) === "schedule:payments-rota", "the first step pages it already");
  must((await value("repeat")) === "2" && (await value("steps.1.page.0")) === "person:ana-ruiz", "and a second step somebody who is not on the rota, with two further rounds");
  await me.type("Payments");
  await me.choose(`select[name="steps.1.page.0"]`, "Cho Lin");
  await me.go("button.do.big");
  await me.go(".done a", "New service");
  await me.type("Checkout");
  await me.enter();
  await me.go(".done a", "New integration");
  await me.type("Prometheus");
  await me.choose(`select[name="kind"]`, "alertmanager");
  await me.go("button.do.big");
  must(await says("Copy it now"), "the sender has its key");
  await me.go(".rail a", "Settings");
  await me.go(`a.add[href="/settings/catch_all/new"]`);
  await me.choose(`select[name="targets.0"]`, "Ana Ruiz");
  await me.go("button.do.big");
  must(await says("Saved."), "and there is a catch-all");
  const { actions, characters, yaml } = me.counted;
  console.log(`counted: a rota of two: ${actions} actions, ${characters} characters, ${yaml} of YAML`);
  console.log(`counted: a rota of two from the set-up link, with one refusal: ${first.counted.actions + actions} actions, ${first.counted.characters + characters} characters`);
  must(actions <= ACTIONS_MAX && yaml === 0, `a rota of two takes at most ${ACTIONS_MAX} actions and no YAML`);
  await page.open(`${base}/services/checkout`);
  must((await says("Ben Ode")) && (await says("Cho Lin")), "and its alarms would page both");

  // Rows, their buttons, and the same as text.
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
  const rows = hand(page);
  await page.open(`${base}/settings/escalation/payments`);
  await rows.go("button", "Add a step");
  must((await value("steps.3.within")) === "5m" && (await value("steps.1.page.0")) === "person:cho-lin", "one step more, and what was there");
  must(await page.run(`document.activeElement?.name === "steps.3.page.0"`), "and the focus is in it");
  await rows.choose(`select[name="steps.3.page.0"]`, "Ana Ruiz");
  await rows.go(`button[name="do.up"][value="steps.3"]`);
  must((await value("steps.2.page.0")) === "person:ana-ruiz", "a step moves up");
  await rows.go(`button[name="do.text"][value="steps"]`);
  must((await value("steps")).includes("person:ana-ruiz") && (await says("Edit in fields")), "the same as text");
  await page.run(`document.querySelector('textarea[name="steps"]').value = "maria"`);
  await rows.go("button.do.big");
  must((await says("Steps: this is the word maria")) && (await says("a step is written")), "a refusal in the words of the form");
  must(!(await says("expected")) && (await value("steps")) === "maria", "without those of the reader, and the text stays");
  await page.run(`document.querySelector('textarea[name="steps"]').value = "- {page: [\\"person:ana-ruiz\\"], within: 5m}\\n- {page: [\\"person:ben-ode\\"], within: 5m, wait: 3}"`);
  await rows.go(`button[name="do.rows"][value="steps"]`);
  must(await says("wait has no field here"), "what the fields cannot hold stays as text, and says why");
  await page.open(`${base}/settings/escalation/payments`);
  await page.run(`document.querySelector('[name="steps.0.within"]').value = "a week"; document.querySelector('[name="steps.1.within"]').value = ""; document.querySelector('[name="repeat"]').value = "many"`);
  await rows.go("button.do.big");
  must((await says("Steps, row 1, Within: the text a week is not a length of time")) && (await says("Steps, row 2, Within: this is empty")) && (await says("Further rounds: this is not a whole number")), "all that is wrong, at once, each with its row");
  must((await value("steps.0.within")) === "a week", "and everything typed is kept");
  await page.open(`${base}/settings/escalation/payments`);
  await rows.go("button", "Add a step");
  await rows.choose(`select[name="steps.3.page.0"]`, "Ana Ruiz");
  await rows.go("button.do.big");
  must(await page.run(`/version \\d+: Steps/.test(document.body.innerText)`), "and Changes says what changed");
  await page.open(`${base}/settings/person/ben-ode`);
  await rows.go("button", "Add a line");
  await rows.choose(`select[name="notify.0.contact"]`, "mail");
  await rows.go("button.do.big");
  must((await says("Saved.")) && (await value("notify.0.contact")) === "mail", "the order of contacts is chosen among those of the form");
  await rows.choose(`select[name="contacts.1.channel"]`, "Webhook");
  await page.run(`document.querySelector('[name="contacts.1.address"]').value = "at home"`);
  await rows.go("button.do.big");
  must((await says("Contacts, row 2, Address: the address")) && (await value("contacts.1.address")) === "at home", "an address is refused with its row");
  await page.open(`${base}/settings/service/checkout`);
  await page.run(`document.querySelector('[name="runbook"]').value = "runbook checkout"`);
  await rows.go("button.do.big");
  must(await says("is no address that can be followed"), "a runbook that is no address is said to be none");
  await page.open(`${base}/settings/schedule/new`);
  await page.run(`document.querySelector('[name="layers.0.handoff"]').value = "Mon 10:00"; document.querySelector('[name="layers.0.people.0"]').value = "ben-ode"; document.querySelector('[name="layers.0.ends"]').value = new Date(Date.now() + 3 * 864e5).toISOString().slice(0, 10)`);
  await rows.go("button", "Preview eight weeks");
  must((await page.run(`document.querySelector("#preview svg .gap") !== null`)) && (await value("layers.0.handoff")) === "Mon 10:00", "Preview draws what is typed, and where nobody is on");
  must((await page.run("document.documentElement.scrollWidth")) <= 390, "and it fits a phone");
  await sleep(50);
});
