// What was chosen and not sent yet stays over a reload: in this tab only, under the unit's own key, and nothing else.
const DRAFT = 'rater-draft-';

function keepDraft() {
  const box = form();
  if (!box) return;
  tick();
  const written = [...box.querySelectorAll('textarea')].map((area) => [area.name, area.value]);
  const draft = {
    values: values(box), written: Object.fromEntries(written), visible: clock.visible, total: sinceShown(),
    changes: clock.changes, trail: clock.trail,
  };
  try { sessionStorage.setItem(DRAFT + box.dataset.key, JSON.stringify(draft)); } catch { /* storage is off: no draft */ }
}

function draftOf(box) {
  try { return JSON.parse(sessionStorage.getItem(DRAFT + box.dataset.key)); } catch { return null; }
}

function restore(box, draft) {
  Object.entries(draft?.values ?? {}).forEach(([name, value]) => {
    const option = options(box, name).find((one) => one.value === value);
    if (option) option.checked = true;
  });
  Object.entries(draft?.written ?? {}).forEach(([name, text]) => {
    const area = box.querySelector(`textarea[name="${CSS.escape(name)}"]`);
    if (!area || !text) return;
    area.value = text;
    const folded = area.closest('details');
    if (folded) folded.open = true;
  });
}

// Drafts of other units are of no use any more: a unit that was sent has a key of its own.
function forgetDrafts(key) {
  try {
    Object.keys(sessionStorage).filter((name) => name.startsWith(DRAFT) && name !== DRAFT + key)
      .forEach((name) => sessionStorage.removeItem(name));
  } catch { /* storage is off */ }
}

window.addEventListener('pagehide', keepDraft);
