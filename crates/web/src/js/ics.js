// The text of a calendar file is read from the file into its field, where it is seen before it is sent; without a script it is pasted.

const ICS_BYTES_MAX = 256 * 1024;

for (const area of document.querySelectorAll('textarea[name="ics"]')) {
  if (area.closest("fieldset[disabled]")) continue;
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".ics,text/calendar" });
  const told = Object.assign(document.createElement("p"), { className: "hint" });
  file.setAttribute("aria-label", "Read it from a file");
  told.setAttribute("role", "status");
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    if (chosen.size > ICS_BYTES_MAX) { told.textContent = "The file has more than 256 KiB: leave out years that are over."; return; }
    area.value = await chosen.text();
    told.textContent = `Read from ${chosen.name}. Save to keep it.`;
  });
  area.after(file, told);
}
