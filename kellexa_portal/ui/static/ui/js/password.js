// Show and hide a password, and how strong a new one is while it is typed. Nothing leaves the page.
import { level } from "./strength.js";

const WORDS = ["short", "weak", "fair", "good", "strong"];
const PAUSE = 400;

for (const button of document.querySelectorAll("[data-toggle-for]")) {
  const input = document.getElementById(button.dataset.toggleFor);
  const show = button.textContent;
  const set = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? button.dataset.shown : show;
  };
  button.hidden = false;
  button.addEventListener("click", () => set(input.type === "password"));
  // A browser must never keep it as ordinary form text.
  input.form?.addEventListener("submit", () => set(false));
}

for (const box of document.querySelectorAll("[data-strength-for]")) {
  const input = document.getElementById(box.dataset.strengthFor);
  const meter = box.querySelector("meter");
  const text = box.querySelector("[role=status]");
  let timer;
  input.addEventListener("input", () => {
    const value = level(input.value);
    box.hidden = input.value === "";
    meter.value = value;
    clearTimeout(timer);
    timer = setTimeout(() => { text.textContent = text.dataset[WORDS[value]]; }, PAUSE);
  });
}
