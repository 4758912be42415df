// A time zone that nobody said yet: the browser's own is filled in where somebody sets up themself, and only offered for somebody
// else. It is a field like any other, and may be changed.

const hereZone = new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
// What a browser says that does not know where it is.
const isPlace = hereZone !== "" && !["Factory", "Etc/Unknown"].includes(hereZone);
for (const field of document.querySelectorAll("input[data-here]")) {
  if (!field.value && isPlace) field.value = hereZone;
}
for (const field of document.querySelectorAll("input[data-offer-here]")) {
  if (!field.value && isPlace) field.placeholder = hereZone;
}
