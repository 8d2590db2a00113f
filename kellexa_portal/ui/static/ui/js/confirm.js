// data-confirm-dialog="#id" on a button or a link: asks first. The dialog's data-confirm-accept button then
// sends the button's own form; a link's dialog holds its form itself. Without script the link leads to a page
// that asks.
const confirmed = new WeakSet();

document.addEventListener("click", (event) => {
  const trigger = event.target.closest("[data-confirm-dialog]");
  if (!trigger || confirmed.has(trigger)) return;
  const dialog = document.querySelector(trigger.dataset.confirmDialog);
  if (!dialog?.showModal) return;
  if (trigger.form && !trigger.form.reportValidity()) return;
  event.preventDefault();
  dialog.returnValue = "";
  dialog.showModal();
  dialog.querySelector("[data-confirm-accept]")?.addEventListener(
    "click",
    () => {
      dialog.close("accept");
      confirmed.add(trigger);
      trigger.click();
      confirmed.delete(trigger);
    },
    { once: true, signal: closedSignal(dialog) },
  );
  dialog.addEventListener("close", () => trigger.focus(), { once: true });
});

// A click beside the dialog closes it, as Escape does.
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement && event.target.matches(".dialog")) event.target.close();
});

// Ends the listener of an earlier opening, so that one acceptance never counts for another object.
function closedSignal(dialog) {
  const controller = new AbortController();
  dialog.addEventListener("close", () => controller.abort(), { once: true });
  return controller.signal;
}
