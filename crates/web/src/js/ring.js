// *Ring this browser*: asks the browser's leave after the press and never before, and puts what it is reached by into the form.
const ringing = document.querySelector("form[data-ring]");

const mayRing = () => {
  if (!isSecureContext) return "A browser is rung over HTTPS alone, and this page came without.";
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return "This browser cannot be rung as it is. On an iPhone or iPad, put this site on the home screen first (Share, then Add to Home Screen), and open it from there.";
  }
  return Notification.permission === "denied" ? denied() : null;
};

const denied = () => `This browser was told not to show notifications of ${location.host}. Allow them in its settings of this site, by the sign beside the address, and press again.`;

// Which one it is, for whoever has several; it can be written over.
const ringName = () => {
  const has = (word) => navigator.userAgent.includes(word);
  const browser = [["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]].find(([word]) => has(word))?.[1] ?? "Browser";
  const system = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Mac OS", "Mac"], ["Windows", "Windows"], ["Linux", "Linux"]].find(([word]) => has(word))?.[1];
  return system ? `${browser} on ${system}` : browser;
};

const ringKey = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

// What this browser is reached by. One of another key is of another installation, and gives way.
const ringAddress = async (key) => {
  const worker = await navigator.serviceWorker.register("/push/worker.js", { scope: "/push/" });
  for (let n = 0; !worker.active && n < 100; n += 1) await new Promise((resolve) => { setTimeout(resolve, 100); });
  const asked = { userVisibleOnly: true, applicationServerKey: ringKey(key) };
  const ask = () => worker.pushManager.subscribe(asked);
  const found = await ask().catch(async (why) => {
    const other = why.name === "InvalidStateError" && await worker.pushManager.getSubscription();
    if (!other) throw why;
    await other.unsubscribe();
    return ask();
  });
  // The worker renews it by itself.
  await (await caches.open("allclear-push")).put("/push/key", new Response(JSON.stringify(key)));
  return found.toJSON();
};

if (ringing) {
  const says = ringing.querySelector("[data-ring-says]");
  const button = ringing.querySelector("[type=submit]");
  const name = ringing.querySelector("[data-ring-name]");
  const cannot = mayRing();
  if (cannot) says.textContent = cannot;
  else { button.disabled = false; says.textContent = "When you press, the browser asks whether it may show notifications."; }
  if (name && !name.value) name.value = ringName();
  ringing.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const leave = await Notification.requestPermission();
      if (leave !== "granted") {
        says.textContent = leave === "denied" ? denied() : "The browser’s question was not answered. Press again, and allow notifications.";
        return;
      }
      says.textContent = "Asking the browser’s push service…";
      const { endpoint, keys } = await ringAddress(ringing.dataset.ring);
      ringing.querySelector("[data-ring-address]").value = endpoint;
      for (const [key, value] of Object.entries(keys)) ringing.elements[`at.${key}`].value = value;
      ringing.submit();
    } catch (why) {
      says.textContent = `The browser’s push service did not answer: ${why.message}. It may be blocked where you are; try another network, or another browser.`;
    } finally { button.disabled = false; }
  });
}
