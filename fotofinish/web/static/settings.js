// The slider says its value.

for (const slider of document.querySelectorAll("[data-shown]")) {
  slider.addEventListener("input", () => {
    document.getElementById(slider.dataset.shown).textContent = `${slider.value} %`;
  });
}
