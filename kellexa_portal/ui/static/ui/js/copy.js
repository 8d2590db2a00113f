// data-copy="#id": puts the element's text on the clipboard and says so (data-copied).
import { announce, reveal, textOf } from "./announce.js";

const SHOWN_FOR = 2500;

function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

function confirmOn(button) {
  const label = button.querySelector("span") ?? button;
  const before = label.dataset.before ?? label.textContent;
  label.dataset.before = before;
  label.textContent = button.dataset.copied;
  button.dataset.done = "";
  announce(button.dataset.copied);
  setTimeout(() => {
    label.textContent = before;
    delete button.dataset.done;
  }, SHOWN_FOR);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(textOf(button.dataset.copy));
    confirmOn(button);
  } catch {
    // No permission, or not a secure context: select it, so that the person's own copy works.
    select(document.querySelector(button.dataset.copy));
  }
});

reveal("button[data-copy]");
