// What was typed into a form stays with this tab while one signs in again: in no address, and no password of it.

const TYPED = "typed";
// Longer than signing in takes.
const TYPED_MS = 10 * 60 * 1000;

const typedFields = (form) => [...form.elements].filter((field) => field.name
  && field.matches("textarea, select, input:not([type=hidden], [type=password], [type=checkbox], [type=radio])"));

const comesFromSignIn = () => {
  try { return new URL(document.referrer).pathname === "/sign-in"; } catch { return false; }
};

// A browser that keeps nothing keeps nothing here.
const keepTyped = (form) => {
  const fields = typedFields(form).map((field) => [field.name, field.value]);
  const kept = { at: Date.now(), page: location.pathname, action: form.getAttribute("action"), fields };
  try { sessionStorage.setItem(TYPED, JSON.stringify(kept)); } catch { /* as without a script */ }
};

const giveTypedBack = () => {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(TYPED)); sessionStorage.removeItem(TYPED); } catch { return; }
  if (!kept || !comesFromSignIn() || kept.page !== location.pathname || Date.now() - kept.at > TYPED_MS) return;
  const form = [...document.forms].find((one) => one.getAttribute("action") === kept.action);
  for (const [name, value] of form ? kept.fields : []) {
    const field = typedFields(form).find((one) => one.name === name);
    if (field && !field.defaultValue) field.value = value;
  }
  form?.closest("details")?.setAttribute("open", "");
};

// Where one signs in it waits.
if (location.pathname !== "/sign-in") giveTypedBack();
addEventListener("submit", (event) => { if (event.target.method === "post" && location.pathname !== "/sign-in") keepTyped(event.target); });
