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

// Copies a link to a page of this lab. Where the browser allows no copying (plain http from afar), it shows the link.
window.labCopyLink = (path, button) => {
  const url = new URL(path, window.location.origin).href;
  const said = () => {
    const before = button.dataset.said ?? button.textContent;
    button.dataset.said = before;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1600);
  };
  const show = () => window.prompt("The link", url);
  if (navigator.clipboard) navigator.clipboard.writeText(url).then(said, show);
  else show();
};
