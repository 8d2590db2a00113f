// data-print: opens the browser's print dialog.
import { reveal } from "./announce.js";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

reveal("button[data-print]");
