// Keys of a photo's page: arrows go to its neighbours, letters press the buttons that show them.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector(":popover-open")) return;
  const target = wanted(event.key);
  if (!target) return;
  event.preventDefault();
  if (target.matches("[data-add]")) target.focus();
  else target.click();
});

function wanted(key) {
  if (key === "ArrowLeft") return document.querySelector("a[rel=prev]");
  if (key === "ArrowRight") return document.querySelector("a[rel=next]");
  if (/^[1-9]$/.test(key)) return document.querySelector(`[data-remove="${key}"]`);
  if (key.toLowerCase() === "b") return document.querySelector("[data-add]");
  return /^[a-z]$/i.test(key) ? document.querySelector(`[data-key="${key.toLowerCase()}"]`) : null;
}
