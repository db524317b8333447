/* Runs before the first paint, so that a chosen theme never flashes. */
const THEME = "deputy-theme";

function paint(theme) {
  document.documentElement.dataset.theme = theme;
}

paint(localStorage.getItem(THEME) ?? "");

addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const name = () => (button.textContent = dark() ? "Light theme" : "Dark theme");
  button.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    localStorage.setItem(THEME, theme);
    paint(theme);
    name();
  });
  system.addEventListener("change", name);
  name();
});
