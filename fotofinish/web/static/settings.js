// The slider says its value, and moving it means that one's own limit is wanted.

for (const slider of document.querySelectorAll("[data-shown]")) {
  slider.addEventListener("input", () => {
    document.getElementById(slider.dataset.shown).textContent = `${slider.value} %`;
    slider.form.elements.own_threshold.checked = true;
  });
}
