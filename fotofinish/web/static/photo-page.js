// Keys of a photo's page: arrows go to its neighbours, letters press the buttons that show them.

const PENDING = 1500;
const TYPED = "input:not([type=checkbox]), select, textarea";
const photo = document.getElementById("photo");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches(TYPED)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector(":popover-open")) return;
  // a digit begins a number: the field takes the focus, and with it the key
  if (/^[0-9]$/.test(event.key)) return adding()?.focus();
  const target = wanted(event.key);
  if (!target) return;
  event.preventDefault();
  if (target.matches("[data-add], [data-remove]")) target.focus();
  else target.click();
});

// A number that was typed and not yet sent is not left behind without a question.
let sent = false;
photo.addEventListener("submit", (event) => { sent = event.target === adding()?.form; });
addEventListener("beforeunload", (event) => {
  if (!sent && adding()?.value.trim()) event.preventDefault();
});

// A photo that is being read, after it was turned for instance, shows what became of it.
if ("pending" in photo.dataset) setTimeout(look, PENDING);

async function look() {
  if (document.hidden) return document.addEventListener("visibilitychange", look, { once: true });
  try {
    const answer = await fetch(location.href);
    if (answer.redirected || answer.status === 404) return location.reload(); // signed out, or deleted
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
    if (busy()) return setTimeout(look, PENDING);
    return location.reload();
  }
  figure.replaceWith(other);
  if (busy()) return;
  const [side, newer] = [photo, fresh].map((one) => one.querySelector(".side"));
  const notice = side.querySelector(".notice");
  if (notice) newer.querySelector("h1").after(notice);
  side.replaceWith(newer);
}

// Whether somebody types, or is about to press something beside the picture.
function busy() {
  const held = photo.querySelector(".side").contains(document.activeElement);
  return adding()?.value || (held && !document.activeElement.matches(".notice"));
}

function adding() {
  return photo.querySelector("[data-add]");
}

function wanted(key) {
  if (key === "ArrowLeft") return document.querySelector("a[rel=prev]");
  if (key === "ArrowRight") return document.querySelector("a[rel=next]");
  if (key.toLowerCase() === "b") return adding();
  if (key.toLowerCase() === "x") return nextRemoval();
  return /^[a-z]$/i.test(key) ? document.querySelector(`[data-key="${key.toLowerCase()}"]`) : null;
}

function nextRemoval() {
  const buttons = [...photo.querySelectorAll("[data-remove]")];
  return buttons[(buttons.indexOf(document.activeElement) + 1) % buttons.length];
}
