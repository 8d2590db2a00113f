// A browser may keep a page in memory and show it again on "back" without asking, although it may not store it.
// A page with a secret that is shown once asks again, and learns that it is gone.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector(".secret")) location.reload();
});
