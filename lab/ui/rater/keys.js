// The keyboard. A key selects, Enter submits: a key held down can never cast a vote.
const QUIET_MS = 600; // Enter is ignored right after a screen appears, so that one long press cannot answer two
const SIDES = { ArrowLeft: 'left', ArrowRight: 'right' };

// The digit of a key, also where digits need Shift (French keyboards): then the key's place on the board counts.
function digitOf(event) {
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  const place = /^(?:Digit|Numpad)([0-9])$/.exec(event.code ?? '');
  return place && !event.shiftKey ? Number(place[1]) : null;
}

function fieldNamed(box, ...names) {
  return asked(box).find((field) => names.includes(field.dataset.field));
}

function chooseValue(box, value) {
  const field = fieldNamed(box, 'preference', 'said');
  const option = field && [...field.querySelectorAll('input')].find((one) => one.value === value);
  if (!option) return false;
  choose(field, option);
  return true;
}

function pressDigit(box, digit) {
  if (digit === 0) return chooseValue(box, 'tie') || chooseValue(box, 'unsure');
  const field = activeField(box);
  const option = field?.querySelectorAll('input')[digit - 1];
  if (!option) return false;
  choose(field, option);
  const fields = asked(box);
  const next = fields[fields.indexOf(field) + 1];
  if (next) goTo(next);
  refresh();
  return true;
}

// Whether a key was one of the form's own.
function pressInForm(event, box) {
  const digit = digitOf(event);
  const key = event.key.toLowerCase();
  const active = activeField(box)?.dataset.field;
  if (digit !== null) return waited(box) && pressDigit(box, digit);
  if (event.key in SIDES && (active === 'preference' || active === 'said')) {
    return waited(box) ? chooseValue(box, SIDES[event.key]) || true : true;
  }
  if (key === 't') return waited(box) && (chooseValue(box, 'tie') || chooseValue(box, 'unsure'));
  if (key === 'b') return waited(box) && chooseValue(box, 'both_bad');
  return false;
}

function press(event) {
  const box = form();
  const target = event.target.closest?.('button, summary, a');
  if (event.key === 'Enter') {
    if (target || now() - screenAt < QUIET_MS) return Boolean(!target);
    if (box) { submit(); return true; }
    stage.querySelector('[data-enter]')?.click();
    return true;
  }
  if (box && pressInForm(event, box)) return true;
  const click = { u: '[data-action="undo"]', s: '[data-open="skip"]', p: '[data-action="rest"]', '?': '[data-open="keys"]' };
  const button = stage.querySelector(click[event.key.toLowerCase()] ?? 'none');
  if (button) { button.click(); return true; }
  if (event.key.toLowerCase() === 'c') return openComment();
  if (event.key === 'Escape') closeMenu();
  return false;
}

function openComment() {
  const area = stage.querySelector('.comment textarea');
  if (!area) return false;
  area.closest('details').open = true;
  area.focus();
  return true;
}

function closeMenu() {
  const menu = stage.querySelector('.menu[open]');
  if (menu) { menu.open = false; menu.querySelector('summary').focus(); }
}

document.addEventListener('keydown', (event) => {
  if (event.altKey || event.metaKey || event.isComposing || stage.querySelector('dialog[open]')) return;
  if (event.target.closest?.('textarea, select, [contenteditable], input:not([type=radio])')) {
    if (event.key === 'Escape') stage.querySelector('[data-focus]')?.focus();
    if (event.key === 'Enter' && event.ctrlKey && !busy && !event.repeat) submit();
    return;
  }
  if (busy || event.repeat || event.ctrlKey) return;
  if (press(event)) event.preventDefault();
});
