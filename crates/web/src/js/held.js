// What is sent while the connection is lost waits in the page and goes out when it is back: a browser that left for its
// own page of errors would take with it what was typed.
const outgoing = [];
// What waited longer than this is sent when somebody says so: an incident goes on meanwhile, and an old tap may be wrong by now.
const fresh = 10 * 60 * 1000;

const cannotSend = () => live.stale || !navigator.onLine;
const deed = ({ form, button }) => button?.textContent.trim() || form.querySelector("[type=submit]")?.textContent.trim() || "what you typed";

// Behind the words of the lost connection: what waits, and a way to let it be.
const sayHeld = () => {
  const note = document.getElementById("stale");
  if (!note || outgoing.length === 0) return;
  note.hidden = false;
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "may", textContent: "Do not send" });
  drop.addEventListener("click", () => { outgoing.length = 0; note.textContent = "Nothing waits to be sent. What you typed is still here."; });
  note.replaceChildren(`Not connected. Sent as soon as the connection is back: ${outgoing.map(deed).join(", ")}. `, drop);
};

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !cannotSend()) return;
  event.preventDefault();
  const before = outgoing.findIndex((one) => one.form === form);
  if (before >= 0) outgoing.splice(before, 1);
  outgoing.push({ form, button: event.submitter, at: Date.now() });
  sayHeld();
});

// Connected again after long: what waits is asked about, beside how things stand now.
const askHeld = () => {
  askSoon();
  const note = document.getElementById("stale");
  if (!note) return;
  note.hidden = false;
  const minutes = Math.round((Date.now() - outgoing[0].at) / 60_000);
  const send = Object.assign(document.createElement("button"), { type: "button", className: "may", textContent: "Send now" });
  send.addEventListener("click", () => sendHeld(true));
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "may", textContent: "Do not send" });
  drop.addEventListener("click", () => { outgoing.length = 0; note.textContent = "Nothing was sent. What you typed is still here."; });
  note.replaceChildren(`Connected again. Pressed ${minutes} min ago and not sent: ${outgoing.map(deed).join(", ")}. `, send, " ", drop);
};

// In the order in which they were pressed. One that is refused is sent again as the browser sends it, so that its own page says
// why, with what was typed.
const sendHeld = async (said = false) => {
  if (!said && outgoing.some((one) => Date.now() - one.at > fresh)) { askHeld(); return; }
  const refused = [];
  let sent = false;
  while (outgoing.length > 0) {
    const { form, button } = outgoing[0];
    const to = button?.hasAttribute("formaction") ? button.formAction : form.action;
    let answer;
    try {
      // A session that ended meanwhile takes nothing: it is asked before, since both are answered by leading elsewhere.
      const seen = await fetch(document.body.dataset.source, { headers: { accept: "text/html" }, credentials: "same-origin", redirect: "manual" });
      if (seen.type === "opaqueredirect") { signedOut(); return; }
      answer = await fetch(to, { method: "POST", body: new URLSearchParams(new FormData(form, button)), credentials: "same-origin", redirect: "manual" });
    } catch { return sayHeld(); }
    const one = outgoing.shift();
    if (answer.type === "opaqueredirect") sent = true; else refused.push(one);
  }
  if (refused.length > 0) { const { form, button } = refused[0]; form.requestSubmit(button); } else if (sent) location.reload();
};
addEventListener("online", () => {
  if (outgoing.length > 0) sendHeld();
  // Short enough that the stream lived through it.
  else if (!live.stale) document.getElementById("stale")?.setAttribute("hidden", "");
});
