// A hand at a page, which counts what it does: an action is a click, a tap or a key that is no letter, a choice in a list is
// two (open it, choose), and letters are counted apart; those typed where a text is to be written in YAML apart once more.
import { sleep } from "./cdp.mjs";

// How long a page may take to come.
const COMES_MS = 20000;
const KEYS = { Tab: [9, ""], Enter: [13, "\r"], ArrowDown: [40, ""], Space: [32, " "] };

export const hand = (page) => {
  const counted = { actions: 0, characters: 0, yaml: 0 };
  const key = async (name) => {
    const [code, text] = KEYS[name];
    const params = { key: name === "Space" ? " " : name, code: name, windowsVirtualKeyCode: code, ...(text && { text }) };
    await page.ask("Input.dispatchKeyEvent", { type: "keyDown", ...params });
    await page.ask("Input.dispatchKeyEvent", { type: "keyUp", key: params.key, code: name, windowsVirtualKeyCode: code });
  };
  // What somebody sees to press: a selector, and where that is not enough the words on it.
  const seen = (selector, words) => `[...document.querySelectorAll(${JSON.stringify(selector)})].find((e) => e.checkVisibility() && (${JSON.stringify(words ?? null)} === null || e.textContent.trim() === ${JSON.stringify(words ?? "")}))`;
  const at = (selector, words) => page.run(`(() => { const e = ${seen(selector, words)}; if (!e) return null;
    e.scrollIntoView({ block: "center", behavior: "instant" }); const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`);
  const press = async (selector, words) => {
    const where = await at(selector, words);
    if (!where) throw new Error(`nothing to press at ${selector} ${words ?? ""} on ${await page.run("location.href + document.body.innerText")}`);
    for (const type of ["mousePressed", "mouseReleased"]) await page.ask("Input.dispatchMouseEvent", { type, ...where, button: "left", clickCount: 1 });
  };
  // Does something after which another page comes.
  const leaves = async (deed) => {
    const was = await page.run("performance.timeOrigin");
    await deed();
    for (let waited = 0; waited < COMES_MS; waited += 50) {
      const now = await page.run(`document.readyState === "complete" && performance.timeOrigin`).catch(() => false);
      if (now && now !== was) return;
      await sleep(50);
    }
    throw new Error("no page came");
  };
  return {
    counted,
    leaves,
    click: async (selector, words) => { counted.actions += 1; await press(selector, words); },
    go: async (selector, words) => { counted.actions += 1; await leaves(() => press(selector, words)); },
    key: async (name) => { counted.actions += 1; await key(name); },
    enter: async () => { counted.actions += 1; await leaves(() => key("Enter")); },
    // Types where the focus is, letter by letter.
    type: async (text) => {
      counted.characters += text.length;
      // A page puts its focus somewhere as it is first drawn, and nobody types before they see it.
      const takes = `document.activeElement?.matches("input, textarea") ?? false`;
      for (let waited = 0; !(await page.run(takes)); waited += 50) {
        if (waited >= COMES_MS) throw new Error(`nothing takes what is typed on ${await page.run("location.href")}`);
        await sleep(50);
      }
      if (await page.run(`document.activeElement.matches("textarea.code")`)) counted.yaml += text.length;
      for (const letter of text) await page.press(letter);
    },
    // Chooses in a list by its first letters, which stand for the second click.
    choose: async (selector, words) => {
      counted.actions += 2;
      await press(selector);
      for (const letter of words) await page.press(letter);
      await key("Enter");
      await sleep(100);
      const chosen = await page.run(`document.querySelector(${JSON.stringify(selector)}).selectedOptions[0].textContent`);
      if (!chosen.startsWith(words)) throw new Error(`${selector} says ${chosen}, not ${words}`);
    },
  };
};
