// How the stories from an empty store begin: a browser without a script at a laptop's width, what is found printed a line each,
// and the first administrator set up. Ends with 1 at the first finding that does not hold.
import { launch } from "./cdp.mjs";

export const PASSWORD = "a quiet night at sea";

export const begin = async (story) => {
  const browser = await launch();
  const page = await browser.page();
  const must = (holds, what) => {
    if (!holds) throw new Error(`not so: ${what}`);
    console.log(`ok: ${what}`);
  };
  const says = (words) => page.run(`document.body.innerText.includes(${JSON.stringify(words)})`);
  const value = (name) => page.run(`document.querySelector(${JSON.stringify(`[name="${name}"]`)})?.value`);
  try {
    await page.ask("Emulation.setDeviceMetricsOverride", { width: 1280, height: 900, deviceScaleFactor: 1, mobile: false });
    await page.ask("Emulation.setScriptExecutionDisabled", { value: true });
    await story({ page, must, says, value });
    must(page.complaints.length === 0, `no complaint ${page.complaints}`);
  } catch (why) {
    console.log(String(why.stack ?? why));
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
};

// Name and address, typed from the first field on.
export const nameAndMail = async (hand) => {
  await hand.type("Ana Ruiz");
  await hand.key("Tab");
  await hand.type("ana@example.org");
};

export const password = async (hand) => {
  await hand.click("#password");
  await hand.type(PASSWORD);
};
