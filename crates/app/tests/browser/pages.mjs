// What only a browser shows: `node pages.mjs BASE_URL`. Prints one line per finding that holds,
// and ends with 1 at the first that does not.
import { launch, sleep } from "./cdp.mjs";

const [base] = process.argv.slice(2);
const declare = (title) => fetch(`${base}/declare`, { method: "POST", body: new URLSearchParams({ title, severity: "sev4" }), redirect: "manual" });
const path = base + (await declare("Looked at in a browser")).headers.get("location");
const browser = await launch();
const page = await browser.page();
const post = (verb, fields) => fetch(`${path}/${verb}`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
const must = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
};

try {
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
  await page.open(path);
  // A reader in the middle of a sentence, with some of it selected.
  await page.run(`(() => { const f = document.getElementById("say-text"); f.focus(); f.value = "half a sentence"; f.setSelectionRange(5, 9); window.kept = f; })()`);
  await page.run(`document.querySelector("details[data-verb=merge]").open = true`);
  // The stream is open before anything happens.
  await page.until(`performance.getEntriesByType("resource").some((e) => e.name.includes("/live")) || true`);
  await sleep(500);
  await post("note", { text: "from another browser" });
  const began = Date.now();
  await page.until(`document.querySelector("[data-live=log]").textContent.includes("from another browser")`, "the note appears by itself");
  must(true, `a change elsewhere appears without a reload (${Date.now() - began} ms, polled every 100)`);
  must(await page.run(`document.activeElement === window.kept && window.kept.isConnected`), "the focus stays where it was");
  must(await page.run(`window.kept.value === "half a sentence" && window.kept.selectionStart === 5 && window.kept.selectionEnd === 9`), "what was typed and selected stays");
  must(await page.run(`document.querySelector("details[data-verb=merge]").open`), "what was unfolded stays unfolded");

  // A form that was asked for, and why one was refused, stay with what is typed when the incident changes, wherever the focus is.
  await page.open(`${path}?do=assess`);
  await page.run(`(() => { const f = document.querySelector("details[data-verb=assess][open] textarea"); f.focus(); f.value = "it hurts at nine"; f.blur(); })()`);
  await sleep(500);
  await post("note", { text: "while somebody assesses" });
  await page.until(`document.querySelector("[data-live=log]").textContent.includes("while somebody assesses")`, "another note appears");
  must(await page.run(`document.querySelector("details[data-verb=assess][open] textarea")?.value === "it hurts at nine"`), "a form that was asked for stays, with what was typed");
  await page.open(path);
  await page.run(`(() => { const form = document.querySelector("details[data-verb=merge] form"); form.querySelector("input:not([type=hidden])").value = "INC-99999"; form.requestSubmit(); })()`);
  await page.until(`document.querySelector("details[data-verb=merge] .refusal")`, "it is refused");
  await page.run(`document.activeElement?.blur()`);
  await sleep(500);
  await post("note", { text: "while somebody reads why" });
  await page.until(`document.querySelector("[data-live=log]").textContent.includes("while somebody reads why")`, "a third note appears");
  must(await page.run(`(() => { const form = document.querySelector("details[data-verb=merge] form"); return form.querySelector(".refusal") !== null && form.querySelector("input:not([type=hidden])").value.includes("99999"); })()`), "why something was refused stays, with what was typed");
  await page.open(path);
  await sleep(500);

  // Who reads further up is told how much is new, and nothing moves.
  for (let n = 0; n < 60; n += 1) await post("note", { text: `line ${n}` });
  await page.until(`document.querySelector("[data-live=log]").textContent.includes("line 59")`, "many notes appear");
  await sleep(1200);
  await page.run(`document.querySelector(".log-box").scrollTop = -400`);
  await sleep(200);
  const before = await page.run(`document.querySelector(".log-box").scrollTop`);
  must(before < -24, "the log scrolls in its own box");
  await post("note", { text: "the newest of all" });
  await page.until(`document.querySelector(".hold")?.textContent.startsWith("1 new")`, "the pill tells of it");
  must(await page.run(`document.querySelector(".log-box").scrollTop`) === before, "what is being read does not move");
  await page.run(`document.querySelector(".hold").click()`);
  must(await page.run(`document.querySelector("[data-live=log]").lastElementChild.textContent.includes("the newest of all") && !document.querySelector(".hold")`), "the pill shows what was held back");

  // The keyboard.
  await page.run(`document.activeElement.blur()`);
  await page.press("?");
  must(await page.run(`document.querySelector("dialog[open] kbd") !== null`), "? lists the keys");
  await page.run(`document.querySelector("dialog").close()`);
  await page.press(".");
  must(await page.run(`document.querySelector("dialog[open] input") === document.activeElement`), ". opens the palette and its field has the focus");
  await page.run(`document.querySelector("dialog").close()`);
  await sleep(100);
  await page.press("n");
  must(await page.run(`document.activeElement?.id === "say-text"`), "n writes to the log");
  await page.press("c");
  must(await page.run(`location.pathname`) === new URL(path).pathname, "letters do nothing while somebody types");

  // No panel is cut by the window's edge, and what follows is said at any width.
  await page.open(path);
  const cut = await page.run(`[...document.querySelectorAll(".acts > details, .task-acts > details")].map((fold) => {
    fold.open = true;
    const box = fold.querySelector("form, .sheet").getBoundingClientRect();
    fold.open = false;
    return box.left >= 0 && box.right <= document.documentElement.clientWidth ? "" : fold.querySelector("summary").textContent;
  }).filter((name) => name !== "")`);
  must(cut.length === 0, `every panel is whole at 1280 (cut: ${cut.join(", ")})`);
  must((await page.run(`document.querySelectorAll(".acts > details").length`)) >= 5, "there are panels to open");
  const nexts = `[...document.querySelectorAll(".awaited li")].map((line) => line.innerText)`;
  const wide = await page.run(nexts);
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
  const narrow = await page.run(nexts);
  must(wide.length > 0 && narrow.length === wide.length && narrow.every((line) => !line.includes("acknowledgement")), `next, on a phone: ${narrow.join(" · ")}`);
  must(wide.some((line) => line.includes(", else ")) === narrow.some((line) => line.includes(", else ")), "what follows is said on a phone as well");
  must(await page.run(`(() => { const acts = document.querySelector(".incident > .acts"); return acts.scrollWidth <= acts.clientWidth; })()`), "no verb is off the phone's screen");
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });

  // The board follows too, and every page is without a complaint.
  await page.open(base + "/");
  await declare("Seen at once");
  await page.until(`document.querySelector(".board")?.textContent.includes("Seen at once")`, "a new incident appears on the board by itself");
  must(true, "a new incident appears on the board by itself");
  // Every page that the frame leads to, and those below them.
  const places = await page.run(`[...new Set([...document.querySelectorAll(".rail nav a, .rail a.declare, .dock a")].map((link) => link.getAttribute("href")))]`);
  must(places.length >= 8, `the frame leads to ${places.join(", ")}`);
  await page.press("?");
  must(await page.run(`[...document.querySelectorAll("dialog[open] dd")].some((dd) => dd.textContent === "On call")`), "? says where g leads");
  await page.run(`document.querySelector("dialog").close()`);
  await sleep(100);
  await page.press("g");
  await page.press("o");
  await page.until(`location.pathname === "/on-call"`, "g o leads to who is on call");
  // A time of a calendar is dragged over, or its begin and its end are chosen on the edge with the days; it fills the form.
  await page.open(`${base}/on-call/schedules/payments-primary?view=week&at=2036-12-03`);
  const box = await page.run(`(() => { const r = document.querySelector("svg[data-pick]").getBoundingClientRect(); return { x: r.left, y: r.top, w: r.width }; })()`);
  const mouse = (type, x, y) => page.ask("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons: type === "mouseReleased" ? 0 : 1, clickCount: 1 });
  // Days begin at 120 of 1120 units; the third is Wednesday.
  const across = (day) => box.x + (120 + day * 1000 / 7) / 1120 * box.w;
  // The page may be shown a moment before its script runs.
  const picked = () => page.run(`document.querySelector("svg[data-pick] .picked") !== null`);
  for (let tries = 0; tries < 50 && !(await picked()); tries++) {
    await mouse("mousePressed", across(2.25), box.y + 60);
    await mouse("mouseMoved", across(2.4), box.y + 60);
    if (!(await picked())) await sleep(100);
  }
  must(await picked(), "what is dragged over is drawn");
  await mouse("mouseMoved", across(2.5), box.y + 60);
  await mouse("mouseReleased", across(2.5), box.y + 60);
  await page.until(`location.search.includes("from=2036-12-03T06:00:00Z") && location.search.includes("to=2036-12-03T12:00:00Z")`, "a drag picks a time of the calendar");
  await page.until(`document.querySelector('#take input[name="from"]')?.value === "2036-12-03T06:00"`, "and fills the form with it");
  must(await page.run(`document.querySelector("#take").textContent.includes("On call then")`), "which says who is on then");
  await page.open(`${base}/on-call/schedules/payments-primary?view=week&at=2036-12-03`);
  for (const day of [2.25, 2.5]) {
    await mouse("mousePressed", across(day), box.y + 12);
    await mouse("mouseReleased", across(day), box.y + 12);
  }
  await page.until(`location.search.includes("from=2036-12-03T06:00:00Z") && location.search.includes("to=2036-12-03T12:00:00Z")`, "a begin and an end on the edge pick it too");
  must(true, "a begin and an end on the edge pick it too");
  for (const other of [...places, "/?wall", `${new URL(path).pathname}/alerts`, "/services/checkout", "/search?q=a", "/settings/refused", "/settings/person", "/settings/service/checkout", "/settings/schedule/new", "/settings/override/new", "/settings/temporary_schedule/new", "/settings/holidays/new", "/on-call/schedules/payments-primary?view=month", "/on-call/schedules/payments-primary?view=week", "/on-call/schedules/clinical-primary?view=day", "/settings/escalation/new?steps.0.page.0=schedule:payments-primary", "/settings/audit", "/settings/integration/monitor"]) {
    await page.open(base + other);
    await sleep(100);
    must(await page.run(`document.querySelector("h1") !== null && document.documentElement.scrollWidth <= innerWidth`), `${other} has a heading and does not scroll sideways`);
    // Of a phone's width.
    await page.ask("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
    must(await page.run(`document.documentElement.scrollWidth <= 390`), `${other} fits a phone (${await page.run("document.documentElement.scrollWidth")})`);
    // A laptop at 200 %, and a wall.
    for (const [width, height, deviceScaleFactor] of [[640, 400, 2], [1920, 1080, 1]]) {
      await page.ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor, mobile: false });
      must(await page.run(`document.documentElement.scrollWidth <= ${width}`), `${other} fits ${width} at ${deviceScaleFactor}00 % (${await page.run("document.documentElement.scrollWidth")})`);
    }
    await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
    if (other === "/trends") must(await page.run(`[...document.querySelectorAll(".wide-table")].every((table) => table.scrollWidth <= table.clientWidth)`), "no table of trends is cut beside the rail of a laptop");
  }
  must(page.complaints.length === 0, `no error and no violation of the policy: ${page.complaints.join("; ")}`);
  await browser.close();
} catch (error) {
  console.log(String(error.stack ?? error), page.complaints.join("\n"));
  await browser.close();
  process.exitCode = 1;
}
