// data-time-zone: a hidden field that tells the server in which zone the person reads their times.
for (const field of document.querySelectorAll("input[data-time-zone]")) {
  if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
