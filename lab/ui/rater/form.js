// The form on the screen: its fields, what is still open, and what is sent.
const form = () => stage.querySelector('[data-form]');
const options = (box, name) => [...box.querySelectorAll('input[type=radio]')].filter((one) => one.name === name);
const chosen = (field) => field.querySelector('input:checked')?.value ?? null;
const asked = (box) => [...box.querySelectorAll('[data-field]')].filter((field) => !field.disabled);
const openFields = (box) => asked(box).filter((field) => chosen(field) === null);

function values(box) {
  const pairs = asked(box).map((field) => [field.dataset.field, chosen(field)]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== null));
}

function activeField(box) {
  const focused = document.activeElement?.closest?.('[data-field]');
  if (focused && box.contains(focused)) return focused;
  return openFields(box)[0] ?? asked(box).at(-1);
}

// The active field is marked, chosen scores say what they mean, and the bar says what is still open.
function refresh() {
  const box = form();
  if (!box) return;
  box.querySelectorAll('[data-unless]').forEach((field) => {
    const [name, value] = field.dataset.unless.split('=');
    field.disabled = options(box, name).find((one) => one.checked)?.value === value;
  });
  const active = activeField(box);
  asked(box).forEach((field) => {
    field.toggleAttribute('data-active', field === active);
    const meaning = field.querySelector('.meaning');
    if (meaning) meaning.textContent = field.querySelector('input:checked')?.closest('label').dataset.meaning ?? '';
  });
  const open = openFields(box);
  const told = box.querySelector('.missing');
  const text = stillOpen(open);
  if (told && told.textContent !== text) told.textContent = text;
  box.querySelector('[data-submit]').classList.toggle('ready', !open.length && waited(box));
}

function stillOpen(open) {
  if (!open.length) return word('ready');
  if (open.length > 2) return word('many_open').replace('{n}', open.length);
  return word('still_open').replace('{what}', open.map((field) => field.dataset.label).join(', '));
}

// A unit can be sent when there was time to read it; until then its button counts down, calmly.
const waitMs = (box) => Number(box.dataset.waitMs ?? 0);
function waited(box) { tick(); return clock.visible >= waitMs(box); }

function countDown() {
  const box = form();
  const count = box?.querySelector('.count');
  if (!count) return;
  const left = Math.ceil((waitMs(box) - (tick(), clock.visible)) / 1000);
  count.textContent = left > 0 ? left : '';
  box.querySelector('[data-submit]').toggleAttribute('data-waiting', left > 0);
  if (left > 0) counting = setTimeout(countDown, 200); else refresh();
}

function goTo(field) {
  const option = field.querySelector('input:checked') || field.querySelector('input');
  option.focus({ preventScroll: true });
  const place = field.getBoundingClientRect();
  const dock = stage.querySelector('.dock')?.getBoundingClientRect().height ?? 0;
  const hidden = place.top < 0 || (place.bottom > window.innerHeight - dock && !field.closest('.dock'));
  if (hidden) field.scrollIntoView({ block: 'center', behavior: calm() ? 'auto' : 'smooth' });
}

function choose(field, option) {
  if (!option || field.disabled) return;
  if (!option.checked) { option.checked = true; changed(option); }
  option.focus({ preventScroll: true });
}

function changed(input) {
  const field = input.closest('[data-field]');
  if (field) {
    if (field.dataset.was !== undefined) clock.changes += 1;
    field.dataset.was = input.value;
    noteStep('change', { field: field.dataset.field });
  }
  keepDraft();
  refresh();
}

function payload(box) {
  tick();
  const given = values(box);
  const times = {
    visible_ms: Math.round(clock.visible), total_ms: sinceShown(), n_changes: clock.changes, trail: clock.trail,
  };
  if (box.dataset.form === 'guess') {
    return { key: box.dataset.key, said: given.said, sureness: given.sureness ? Number(given.sureness) : null };
  }
  if (box.dataset.form === 'about' || box.dataset.form === 'close') {
    box.querySelectorAll('[data-written] textarea').forEach((area) => { given[area.name] = area.value; });
    return { answers: given };
  }
  const score = (name) => (given[name] === undefined ? null : Number(given[name]));
  const criteria = {};
  asked(box).map((field) => field.dataset.field.split('.')).filter((parts) => parts.length === 3)
    .forEach(([, name, side]) => {
      criteria[name] ??= [null, null];
      criteria[name][side === 'right' ? 1 : 0] = score(`criteria.${name}.${side}`);
    });
  return {
    key: box.dataset.key, fluency_left: score('fluency_left'), fluency_right: score('fluency_right'),
    preference: given.preference ?? '', criteria, comment: box.querySelector('[name="comment"]')?.value ?? '', ...times,
  };
}
