// Shows the watermark as it would be, a moment after a field has changed; what cannot be drawn is said
// beside the picture of before.

const form = document.getElementById("mark");
const says = document.getElementById("look-says");
let look = document.getElementById("look");
let asked, soon;

form.addEventListener("input", ({ target }) => {
  if (target.dataset.says) document.getElementById(target.dataset.says).textContent = target.value;
  clearTimeout(soon);
  soon = setTimeout(() => {
    const fields = new URLSearchParams(new FormData(form));
    for (const name of ["form_token", "drawn"]) fields.delete(name);
    show(`${form.dataset.preview}?${fields}`);
  }, 200);
});

async function show(address) {
  asked = address;
  const next = look.cloneNode();
  next.src = address;
  const trouble = await next.decode().then(() => "", () => why(address));
  if (asked !== address) return; // a later one is on its way
  says.textContent = trouble;
  if (trouble) return;
  look.replaceWith(next);
  look = next;
}

async function why(address) {
  try {
    return (await (await fetch(address)).json()).message;
  } catch {
    return "The sample cannot be drawn just now.";
  }
}

// While previews are drawn anew the page looks again how far that is, unless somebody is at work here.
if (document.querySelector("[data-stale]")) setInterval(() => busy() || location.reload(), 10000);

function busy() {
  const files = [...document.querySelectorAll("input[type=file]")];
  return form.contains(document.activeElement) || files.some((one) => one === document.activeElement || one.files.length);
}
