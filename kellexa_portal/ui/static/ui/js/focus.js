// From the links of the error summary to the inputs that they name; autofocus has put the focus on the summary.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const input = link && document.getElementById(link.hash.slice(1));
  if (!input) return;
  event.preventDefault();
  input.focus({ preventScroll: true });
  (input.closest(".field") ?? input).scrollIntoView({ block: "center" });
});
