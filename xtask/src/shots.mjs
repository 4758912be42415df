// Pictures of every page: `node shots.mjs BASE_URL FOLDER [NAME …]`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, sleep } from "../../crates/app/tests/browser/cdp.mjs";

const [base, folder, ...only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

// A laptop at 200 % has half its width to lay out (WCAG 1.4.4); 794 is A4 at 96 pixels an inch.
const SIZES = { phone: [390, 844, true], laptop: [1280, 800, false], wide: [1920, 1080, false], zoomed: [640, 400, false] };
const PAPER = [794, 1123];
const PRINTED = ["incident", "review", "on-call"];

const browser = await launch();
const page = await browser.page();
await page.open(base + "/");
const first = await page.run(`document.querySelector(".board .title")?.getAttribute("href") ?? ""`);
const service = await (async () => { await page.open(base + "/services"); return page.run(`document.querySelector(".list a.main")?.getAttribute("href") ?? ""`); })();
const review = await (async () => { await page.open(base + "/reviews"); return page.run(`document.querySelector(".list a.main")?.getAttribute("href") ?? ""`); })();
const link = await (async () => { await page.open(base + "/outbox"); return page.run(`(document.querySelector(".messages .press")?.getAttribute("href") ?? "").replace(/^https?:\\/\\/[^/]+/, "")`); })();
await page.open(base + "/");
const places = await page.run(`[...document.querySelectorAll(".rail nav a, .rail a.declare, .dock a")].map((link) => link.getAttribute("href"))`);
const pages = [
  // Every page that the frame leads to, by its address.
  ...[...new Set(places)].map((path) => [path.slice(1).replaceAll("/", "-") || "board", path]),
  ["wall", "/?wall"], ["incident", first], ["incident-people", first && first + "?tab=people"], ["incident-tasks", first && first + "?tab=tasks"],
  ["incident-more", first && first + "?tab=more"], ["incident-severity", first && first + "?do=severity"], ["incident-alerts", first && first + "/alerts"], ["link", link],
  ["service", service], ["search-found", "/search?q=a"], ["review", review],
  ["calendar-month", "/on-call/schedules/payments-primary?view=month"], ["calendar-week", "/on-call/schedules/platform-primary?view=week"], ["calendar-day", "/on-call/schedules/clinical-primary?view=day"],
  ["drills", "/on-call/drills"], ["load", "/on-call/load"], ["suggest", "/on-call/schedules/payments-primary/suggest"], ["reached", "/me/reached"],
  ["settings-person", "/settings/person/ana"], ["settings-schedule", "/settings/schedule/payments-primary"], ["settings-new", "/settings/team/new"], ["missing", "/incidents/INC-9999"],
].filter(([name, path]) => path && (only.length === 0 || only.includes(name)));

for (const scheme of ["light", "dark"]) {
  await page.ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  for (const [size, [width, height, mobile]] of Object.entries(SIZES)) {
    await page.ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    for (const [name, path] of pages) {
      if (name === "wall" && size !== "wide") continue;
      if (name.startsWith("incident-") && !["incident-severity", "incident-alerts"].includes(name) && size !== "phone") continue;
      await page.open(base + path);
      await sleep(150);
      const { data } = await page.ask("Page.captureScreenshot", { format: "png" });
      writeFileSync(join(folder, `${name}-${size}-${scheme}.png`), Buffer.from(data, "base64"));
    }
  }
}
await page.ask("Emulation.setEmulatedMedia", { media: "print", features: [{ name: "prefers-color-scheme", value: "light" }] });
await page.ask("Emulation.setDeviceMetricsOverride", { width: PAPER[0], height: PAPER[1], deviceScaleFactor: 1, mobile: false });
for (const [name, path] of pages.filter(([name]) => PRINTED.includes(name))) {
  await page.open(base + path);
  await sleep(150);
  const { cssContentSize } = await page.ask("Page.getLayoutMetrics");
  const clip = { x: 0, y: 0, width: PAPER[0], height: Math.min(cssContentSize.height, 3 * PAPER[1]), scale: 1 };
  const { data } = await page.ask("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip });
  writeFileSync(join(folder, `${name}-paper.png`), Buffer.from(data, "base64"));
}
console.log(`${folder}: ${pages.length} pages`);
for (const complaint of page.complaints) console.log("complaint:", complaint);
await browser.close();
