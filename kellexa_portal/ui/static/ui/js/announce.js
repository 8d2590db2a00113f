// Says a result to screen readers through the page's one live region.
export function announce(text) {
  const region = document.querySelector("[data-announcer]");
  if (!region) return;
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = text; });
}

// Shows what works only with this script; the server renders it hidden.
export function reveal(selector) {
  for (const element of document.querySelectorAll(selector)) element.hidden = false;
}

// The text of a secret or of a list of codes, one a line.
export function textOf(selector) {
  const element = document.querySelector(selector);
  if (!element) return "";
  if ("value" in element && typeof element.value === "string") return element.value;
  const lines = [...element.querySelectorAll("code")].map((line) => line.textContent.trim());
  return lines.length ? lines.join("\n") + "\n" : element.textContent.trim();
}
