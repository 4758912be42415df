// One tap and one key harm nobody: `node taps.mjs BASE_URL`, with real keys and real clicks. Prints one line per finding
// that holds, and ends with 1 at the first that does not.
import { launch, sleep } from "./cdp.mjs";

const [base] = process.argv.slice(2);
const declare = async (title, severity) => {
  const answer = await fetch(`${base}/declare`, { method: "POST", body: new URLSearchParams({ title, severity, service: "checkout", page: "1" }), redirect: "manual" });
  return answer.headers.get("location").split("/").pop();
};
const browser = await launch();
const page = await browser.page();
const must = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
};
const at = (selector) => page.run(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); if (!e) return null;
  e.scrollIntoView({ block: "center", behavior: "instant" }); const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`);
const click = async (selector) => {
  const where = await at(selector);
  if (!where) throw new Error(`nothing to press at ${selector}`);
  for (const type of ["mousePressed", "mouseReleased"]) await page.ask("Input.dispatchMouseEvent", { type, ...where, button: "left", clickCount: 1 });
};
const state = (reference) => fetch(`${base}/incidents/${reference}`).then((answer) => answer.text()).then((text) => text.match(/<strong class="standing">([^<]*)/)[1]);
const leaves = async (deed) => {
  const was = await page.run("performance.timeOrigin");
  await deed();
  await page.until(`performance.timeOrigin !== ${was} && document.readyState === "complete"`);
  await sleep(100);
};

try {
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
  const mine = await declare("Which one was meant", "sev1");
  await page.open(base + "/");
  await sleep(300);

  // A letter with the focus nowhere.
  await page.press("a");
  await sleep(700);
  must((await state(mine)) === "Declared" && (await page.run("location.search")) === "", "a with nothing focused does nothing");

  // With a row focused; it says so, and is taken back.
  await page.run(`document.querySelector('li[data-key="${mine}"] .title').focus()`);
  await leaves(() => page.press("a"));
  must((await state(mine)) === "Investigating", "a acknowledges the row that has the focus");
  must(await page.run(`document.querySelector(".took")?.textContent.includes("You have ${mine}")`), "what was done is said");
  must((await page.run("location.search")) === "", "and the address does not ask for it again");
  await leaves(() => click(".took button"));
  must(await page.run(`document.querySelector(".took")?.textContent.includes("somebody is looked for again")`), "Undo gives it back");
  must(await page.run(`document.querySelector('li[data-key="${mine}"] [formaction$="/acknowledge"]') !== null`), "and the row asks for somebody again");
  await page.ask("Input.dispatchMouseEvent", { type: "mouseMoved", x: 2, y: 2 });
  await page.run("document.activeElement?.blur()");
  await page.until(`document.querySelector(".took") === null`, "the line goes by itself");
  must(true, "the line goes by itself");

  // On its own page the letter leads to the button, and does not press it.
  await page.open(`${base}/incidents/${mine}`);
  await page.press("a");
  await sleep(500);
  must(await page.run(`document.activeElement.dataset.verb === "acknowledge" && !document.querySelector(".took")`), "on an incident a leads to the button alone");

  // Who was not paged leads first, and that stops nobody's paging.
  const led = await declare("Led by another", "sev2");
  await sleep(500);
  await page.open(`${base}/incidents/${led}`);
  // Both of one state of the page: it goes on by itself as messages arrive.
  await page.until(`/ was told/.test(document.querySelector(".log").textContent)`, "somebody was told");
  const [paged, first] = await page.run(
    `[/Ana Ruiz was told/.test(document.querySelector(".log").textContent), document.querySelector(".acts button").textContent]`,
  );
  must(first === (paged ? "Acknowledge" : "Take command"), `the first button of who was ${paged ? "" : "not "}paged is ${first}`);
  if (!paged) {
    await page.ask("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 1, mobile: true });
    await leaves(() => click(".acts button"));
    must((await state(led)) === "Declared" && (await page.run(`document.querySelector(".acts .stops").textContent.includes("stops paging")`)), "one tap on it stops nobody's paging, and Acknowledge says whose it would");
    must(await page.run(`document.documentElement.scrollWidth <= 390`), "and it fits a phone");
    await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
  }

  // Where several forms unfold from one button they stand below one another, and no panel leaves the window.
  const say = (verb, fields) => fetch(`${base}/incidents/${mine}/${verb}`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  await say("hypothesis", { text: "The disk is full" });
  await say("hypothesis", { text: "The network is slow" });
  await say("hypothesis", { hypothesis: "2", state: "rejected", why: "It is not" });
  await say("decision", { whole: "1", text: "Fail over", review_within: "30m" });
  await say("party", { organisation: "cert" });
  await say("request", { organisation: "cert", text: "Who else has it?" });
  await say("task", { text: "Roll back" });
  await say("plan", { plan: "outage" });
  for (const width of [1000, 1280, 1440, 1920]) {
    await page.ask("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: false });
    await page.open(`${base}/incidents/${mine}`);
    const wrong = await page.run(`(() => { const wrong = [];
      for (const one of document.querySelectorAll(".incident .columns details.act-one")) {
        for (let outer = one.parentElement.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
        one.open = true;
        const rects = [...one.querySelectorAll(":scope > form, :scope > .sheet, :scope > .sheet > form")].map((e) => ({ e, r: e.getBoundingClientRect() }));
        for (const { e, r } of rects) if (r.width > 0 && (r.right > innerWidth || r.left < 0)) wrong.push(one.textContent.slice(0, 40) + ": " + Math.round(r.left) + " to " + Math.round(r.right));
        for (const a of rects) for (const b of rects) if (a.e !== b.e && !a.e.contains(b.e) && !b.e.contains(a.e) && a.r.top < b.r.bottom && b.r.top < a.r.bottom) wrong.push(one.textContent.slice(0, 40) + ": one over the other");
        one.open = false;
      }
      return wrong; })()`);
    must(wrong.length === 0, `at ${width} px no panel leaves the window or lies over its neighbour: ${[...new Set(wrong)].join("; ")}`);
  }
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });

  // An update: nothing is ticked, and one tap shows who would get it.
  await page.open(`${base}/incidents/${mine}?do=update`);
  must(await page.run(`(() => { const boxes = [...document.querySelectorAll('[data-verb=update] input[type=checkbox]')]; return boxes.length === 2 && boxes.every((box) => !box.checked); })()`), "no audience is ticked beforehand");
  await click("[data-verb=update] textarea");
  await page.ask("Input.insertText", { text: "Some cards fail" });
  await click('[data-verb=update] input[name="to:customers"]');
  await leaves(() => click("[data-verb=update] button[type=submit]"));
  must(await page.run(`document.querySelector(".preview")?.textContent.includes("1 address by email")`), "one tap shows who gets it, by which way and how many");
  must(!(await (await fetch(`${base}/incidents/${mine}`)).text()).includes("sent update"), "and sends nothing");
  for (const width of [320, 390, 1280, 1920]) {
    await page.ask("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: false });
    must(await page.run(`document.documentElement.scrollWidth <= ${width}`), `it fits ${width} px`);
  }
  await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
  await leaves(() => click('.preview button[name="edit"]'));
  must(await page.run(`document.querySelector("[data-verb=update] textarea").value === "Some cards fail" && document.querySelector('[data-verb=update] input[name="to:customers"]').checked`), "Change it keeps what was typed and ticked");
  await leaves(() => click("[data-verb=update] button[type=submit]"));
  await leaves(() => click(".preview .do"));
  must((await (await fetch(`${base}/incidents/${mine}`)).text()).includes("sent update"), "the second step sends it");

  // Letters off, by a form of Me.
  await page.open(base + "/menu");
  await leaves(() => click('form[action="/menu/letters"] button'));
  must(await page.run(`document.querySelector('form[action="/menu/letters"]').textContent.includes("Switch letters on")`), "Me switches letters off");
  await page.open(base + "/");
  await page.run(`document.querySelector('li[data-key="${mine}"] .title').focus()`);
  await page.press("a");
  await page.press("?");
  await page.press("c");
  await sleep(500);
  must((await page.run("location.pathname")) === "/" && (await page.run(`document.querySelector("dialog, .took") === null`)), "then no letter does anything");
  await page.open(base + "/menu");
  await leaves(() => click('form[action="/menu/letters"] button'));
  // The order is held under a pointer, a focus and a finger, and goes on when they have gone.
  const rows = [await declare("Held one", "sev2"), await declare("Held two", "sev2"), await declare("Held three", "sev2")];
  const order = () => page.run(`[...document.querySelectorAll("ol.board[data-list=open] > li")].map((li) => li.dataset.key).join()`);
  const acknowledge = (reference) => fetch(`${base}/incidents/${reference}/acknowledge`, { method: "POST", redirect: "manual" });
  const away = () => page.ask("Input.dispatchMouseEvent", { type: "mouseMoved", x: 2, y: 400 });
  const pill = `document.querySelector(".order-pill")?.textContent === "order changed"`;
  await page.open(base + "/");
  await sleep(500);
  const over = await at(`li[data-key="${rows[1]}"] .title`);
  await page.ask("Input.dispatchMouseEvent", { type: "mouseMoved", ...over });
  let was = await order();
  await acknowledge(rows[0]);
  await page.until(pill, "a pill tells that the order changed");
  must((await order()) === was, "no row moves under the pointer, and a pill tells of it");
  must(await page.run(`document.elementFromPoint(${over.x}, ${over.y}).closest("li").dataset.key === "${rows[1]}"`), "the row under the pointer is the same");
  await away();
  await page.until(`document.querySelector(".order-pill") === null`, "the order goes on when the pointer has gone");
  must((await order()) !== was, "and when the pointer has gone it is the server's");
  await page.run(`document.querySelector('li[data-key="${rows[2]}"] .title').focus()`);
  was = await order();
  await acknowledge(rows[1]);
  await page.until(pill, "held under the focus");
  must((await order()) === was, "no row moves while one has the focus");
  await page.run("document.activeElement.blur()");
  await page.until(`document.querySelector(".order-pill") === null`);
  // A finger: five seconds.
  await page.ask("Emulation.setTouchEmulationEnabled", { enabled: true });
  const finger = await at(`li[data-key="${rows[2]}"] .standing`);
  await page.ask("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [finger] });
  await page.ask("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [{ x: finger.x, y: finger.y - 40 }] });
  await page.ask("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  was = await order();
  const touched = Date.now();
  await acknowledge(rows[2]);
  await page.until(pill, "held after a touch");
  must((await order()) === was, "no row moves under a finger");
  await page.until(`document.querySelector(".order-pill") === null`, "it goes on after the touch");
  must(Date.now() - touched > 4000 && Date.now() - touched < 8000 && (await order()) !== was, `and goes on five seconds after it (${Date.now() - touched} ms)`);
  await page.ask("Emulation.setTouchEmulationEnabled", { enabled: false });
  // The pill itself lets go.
  const last = [await declare("Held four", "sev2"), await declare("Held five", "sev2")];
  await page.open(base + "/");
  await sleep(500);
  await page.ask("Input.dispatchMouseEvent", { type: "mouseMoved", ...(await at(`li[data-key="${last[1]}"] .title`)) });
  was = await order();
  await acknowledge(last[0]);
  await page.until(pill);
  await click(".order-pill");
  must((await order()) !== was && (await page.run(`document.querySelector(".order-pill") === null`)), "the pill brings the new order at once");

  must(page.complaints.length === 0, `no error and no violation of the policy: ${page.complaints.join("; ")}`);
  console.log("ok: taps and keys");
  await browser.close();
} catch (error) {
  console.log(String(error.stack ?? error), page.complaints.join("\n"));
  await browser.close();
  process.exitCode = 1;
}
