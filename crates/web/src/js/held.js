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
  note.replaceChildren(`Not connected. Sent as soon as the connection is back: ${outgoing.map((one) => one.name).join(", ")}. `, drop);
};

const bodyOf = ({ form, button }) => new URLSearchParams(new FormData(form, button));
// What a reader typed into it, for their eyes: no keys of ours, no passwords.
const typedIn = (form) => typedFields(form)
  .filter((field) => field.value)
  .map((field) => field.nodeName === "SELECT" ? field.selectedOptions[0]?.textContent.trim() : field.value);

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !cannotSend()) return;
  event.preventDefault();
  const before = outgoing.findIndex((one) => one.form === form && one.button === event.submitter);
  if (before >= 0) outgoing.splice(before, 1);
  const button = event.submitter;
  const to = button?.hasAttribute("formaction") ? button.formAction : form.action;
  // As it is now: the page may lose the form while it waits.
  outgoing.push({ form, button, to, body: bodyOf({ form, button }), name: deed({ form, button }), at: Date.now() });
  sayHeld();
});

// A form that is asked for cannot be had now: the page with what it says stays.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a.asks, a.asks-for");
  if (!link || !cannotSend()) return;
  event.preventDefault();
  const note = document.getElementById("stale");
  if (!note) return;
  note.hidden = false;
  note.textContent = `Not connected: ${link.textContent.trim()} opens once the connection is back. What is written here can be read meanwhile.`;
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
  note.replaceChildren(`Connected again. Pressed ${minutes} min ago and not sent: ${outgoing.map((one) => one.name).join(", ")}. `, send, " ", drop);
};

// What was refused: it stays, with what was typed and why, until somebody sends it again or lets it be.
const refused = [];

const pressed = (words, act) => {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "may", textContent: words });
  button.addEventListener("click", act);
  return button;
};

const sayRefused = () => {
  let box = document.getElementById("refused");
  if (refused.length === 0) { box?.remove(); return; }
  if (!box) {
    box = Object.assign(document.createElement("section"), { id: "refused", className: "refused" });
    box.setAttribute("role", "alert");
    const note = document.getElementById("stale");
    if (note) note.after(box); else document.querySelector("main").prepend(box);
  }
  box.replaceChildren(...refused.map((one) => {
    const row = Object.assign(document.createElement("div"), { className: "refusal" });
    const title = Object.assign(document.createElement("strong"), { textContent: `Not done: ${one.name}` });
    const why = Object.assign(document.createElement("p"), { textContent: one.why });
    const typed = typedIn(one.form).map((text) => Object.assign(document.createElement("p"), { className: "typed", textContent: text }));
    const again = pressed("Send again", async () => {
      if (await sendOne(one) && refused.length === 0) location.reload();
    });
    const drop = pressed("Drop", () => { refused.splice(refused.indexOf(one), 1); sayRefused(); });
    row.replaceChildren(title, why, ...typed, again, " ", drop);
    return row;
  }));
};

// What a page says of a refusal, in words.
const whyOf = async (answer) => {
  const said = new DOMParser().parseFromString(await answer.text(), "text/html");
  const why = said.querySelector(".refusal, [role=alert]") ?? said.querySelector("main p");
  // The title says no more than ours.
  const parts = why ? [...why.childNodes].filter((part) => part.nodeName !== "STRONG") : [];
  const words = parts.map((part) => part.textContent.trim()).filter(Boolean).join(". ");
  return words || `The server answered ${answer.status}.`;
};

// Sends one; whether it was taken, and nothing where it could not be sent at all. What is refused joins those that stay.
const sendOne = async (one) => {
  if (one.form.isConnected && (!one.button || one.button.form === one.form)) one.body = bodyOf(one);
  let answer;
  try {
    // A session that ended meanwhile takes nothing: it is asked before, since both are answered by leading elsewhere.
    const seen = await fetch(document.body.dataset.source, { headers: { accept: "text/html" }, credentials: "same-origin", redirect: "manual" });
    if (seen.type === "opaqueredirect") { signedOut(); return null; }
    answer = await fetch(one.to, { method: "POST", body: one.body, headers: { accept: "text/html" }, credentials: "same-origin", redirect: "manual" });
    const taken = answer.type === "opaqueredirect";
    if (!taken) one.why = await whyOf(answer);
    const at = refused.indexOf(one);
    if (taken && at >= 0) refused.splice(at, 1);
    if (!taken && at < 0) refused.push(one);
    sayRefused();
    return taken;
  } catch { sayHeld(); return null; }
};

// In the order in which they were pressed.
const sendHeld = async (said = false) => {
  if (!said && outgoing.some((one) => Date.now() - one.at > fresh)) { askHeld(); return; }
  let sent = false;
  while (outgoing.length > 0) {
    const taken = await sendOne(outgoing[0]);
    if (taken === null) return;
    outgoing.shift();
    sent ||= taken;
  }
  document.getElementById("stale")?.setAttribute("hidden", "");
  // A page that is loaded anew would lose what was refused.
  if (refused.length > 0) askSoon(); else if (sent) location.reload();
};
addEventListener("online", () => {
  if (outgoing.length > 0) sendHeld();
  // Short enough that the stream lived through it.
  else if (!live.stale) document.getElementById("stale")?.setAttribute("hidden", "");
});
