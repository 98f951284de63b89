// Keeps a page's state in its address, so that reload, bookmark and a second tab show the same thing.
window.labSetQuery = (values) => {
  const url = new URL(window.location.href);
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "" || value.length === 0) url.searchParams.delete(key);
    else url.searchParams.set(key, Array.isArray(value) ? value.join(",") : value);
  }
  window.history.replaceState(window.history.state, "", url);
};

// Copies the text of the element named by data-copy.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy)?.innerText ?? "";
  navigator.clipboard?.writeText(text).then(() => { button.dataset.copied = "yes"; });
});
