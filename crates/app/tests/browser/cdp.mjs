// Speaks to a headless Chromium over its pipe: no packages, no port.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A page that says nothing for so long is broken.
const ANSWER_MS = 20000;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export const launch = async (binary = process.env.CHROMIUM || "chromium") => {
  const profile = mkdtempSync(join(tmpdir(), "allclear-browser-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank"];
  const child = spawn(binary, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [to, from] = [child.stdio[3], child.stdio[4]];
  let next = 1;
  let rest = "";
  const waiting = new Map();
  const listeners = [];
  from.on("data", (bytes) => {
    const parts = (rest + bytes).split("\0");
    rest = parts.pop();
    for (const part of parts) {
      const message = JSON.parse(part);
      if (message.id) {
        const { done, fail } = waiting.get(message.id) ?? {};
        waiting.delete(message.id);
        if (message.error) fail?.(new Error(JSON.stringify(message.error))); else done?.(message.result);
      } else for (const listener of listeners) listener(message);
    }
  });
  const send = (method, params = {}, sessionId = undefined) => new Promise((done, fail) => {
    const id = next++;
    const timer = setTimeout(() => fail(new Error(`${method}: no answer`)), ANSWER_MS);
    waiting.set(id, { done: (x) => { clearTimeout(timer); done(x); }, fail: (x) => { clearTimeout(timer); fail(x); } });
    to.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  });
  const page = async () => {
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const ask = (method, params) => send(method, params, sessionId);
    const complaints = [];
    let loaded = () => {};
    listeners.push((message) => {
      if (message.sessionId !== sessionId) return;
      if (message.method === "Page.loadEventFired") loaded();
      if (message.method === "Runtime.exceptionThrown") complaints.push(message.params.exceptionDetails.exception?.description ?? message.params.exceptionDetails.text);
      if (message.method === "Runtime.consoleAPICalled" && message.params.type === "error") complaints.push(JSON.stringify(message.params.args));
      // Where the network fails on purpose, the browser says so; that is no fault of the page.
      if (message.method === "Log.entryAdded" && message.params.entry.level === "error" && message.params.entry.source !== "network") complaints.push(`${message.params.entry.source}: ${message.params.entry.text}`);
    });
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await ask(`${domain}.enable`);
    const open = async (url) => {
      const done = new Promise((resolve) => { loaded = resolve; });
      await ask("Page.navigate", { url });
      await Promise.race([done, sleep(ANSWER_MS)]);
    };
    const run = async (expression) => {
      const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    const until = async (expression, what = expression) => {
      for (let n = 0; n < 100; n += 1) {
        if (await run(expression)) return;
        await sleep(100);
      }
      throw new Error(`never: ${what}`);
    };
    const press = async (key) => {
      await ask("Input.dispatchKeyEvent", { type: "keyDown", key, text: key.length === 1 ? key : undefined });
      await ask("Input.dispatchKeyEvent", { type: "keyUp", key });
    };
    return { ask, open, run, until, press, complaints };
  };
  const close = async () => {
    await send("Browser.close").catch(() => {});
    await sleep(200);
    child.kill();
    // A helper of the browser may write to its last moment; what is left is in the folder for such things.
    try { rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }); } catch { /* see above */ }
  };
  return { page, close, send, on: (listener) => listeners.push(listener) };
};
