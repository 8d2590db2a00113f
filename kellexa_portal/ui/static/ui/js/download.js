// data-download="file.txt" data-source="#id": saves the element's text as a file, without a request.
import { reveal, textOf } from "./announce.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-download]");
  if (!button) return;
  const url = URL.createObjectURL(new Blob([textOf(button.dataset.source)], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = button.dataset.download;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});

reveal("button[data-download]");
