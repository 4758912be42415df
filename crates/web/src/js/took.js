// What one tap did and how to take it back stands for its time, and longer while somebody is at it.

// Looked at again after this long, where somebody was at it.
const TOOK_AGAIN_MS = 1000;

const endTook = (line) => {
  if (line.matches(":hover, :focus-within")) { setTimeout(() => endTook(line), TOOK_AGAIN_MS); return; }
  line.remove();
};

for (const line of document.querySelectorAll(".took[data-ends]")) {
  setTimeout(() => endTook(line), Math.max(0, Date.parse(line.dataset.ends) - nowMs()));
  // A page that is opened again later does not ask for it again.
  const address = new URL(location.href);
  for (const word of ["took", "gave"]) address.searchParams.delete(word);
  history.replaceState(null, "", address);
}
