// Shows the watermark as it would be, a moment after a field has changed.

const form = document.getElementById("mark");
const look = document.getElementById("look");
let soon;

form.addEventListener("input", ({ target }) => {
  if (target.dataset.says) document.getElementById(target.dataset.says).textContent = target.value;
  clearTimeout(soon);
  soon = setTimeout(() => {
    const fields = new URLSearchParams(new FormData(form));
    fields.delete("form_token");
    look.src = `${form.dataset.preview}?${fields}`;
  }, 200);
});

if (document.querySelector("[data-stale]")) setTimeout(() => !form.contains(document.activeElement) && location.reload(), 10000);
