// data-autosubmit on an input or a form: sends the form when the choice changes.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-autosubmit]")) event.target.form?.requestSubmit();
});
