// A time zone that nobody said yet is the browser's own; it is a field like any other, and may be changed.

for (const field of document.querySelectorAll("input[data-here]")) {
  if (!field.value) field.value = new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
