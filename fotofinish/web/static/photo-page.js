// Keys of a photo's page: arrows go to its neighbours, letters press the buttons that show them.

const PENDING = 1500;

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

// A photo that is being read, after it was turned for instance, shows what became of it.
const photo = document.getElementById("photo");
if ("pending" in photo.dataset) setTimeout(look, PENDING);

async function look() {
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("photo");
    if (fresh && !("pending" in fresh.dataset)) return show(fresh);
  } catch {
    // the server is away for a moment
  }
  setTimeout(look, PENDING);
}

function show(fresh) {
  const [figure, other] = [photo, fresh].map((one) => one.querySelector("figure"));
  // a page that had no picture is not allowed to load one from elsewhere
  if (!figure || !other) {
    if (document.activeElement.matches("[data-add]")) return setTimeout(look, PENDING);
    return location.reload();
  }
  figure.replaceWith(other);
  const [side, newer] = [photo, fresh].map((one) => one.querySelector(".side"));
  if (!side.contains(document.activeElement)) side.replaceWith(newer);
}

function wanted(key) {
  if (key === "ArrowLeft") return document.querySelector("a[rel=prev]");
  if (key === "ArrowRight") return document.querySelector("a[rel=next]");
  if (/^[1-9]$/.test(key)) return document.querySelector(`[data-remove="${key}"]`);
  if (key.toLowerCase() === "b") return document.querySelector("[data-add]");
  return /^[a-z]$/i.test(key) ? document.querySelector(`[data-key="${key.toLowerCase()}"]`) : null;
}
