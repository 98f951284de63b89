// The rater's page: asks the server for each screen, shows it, counts visible time, and reads the keys.
// A key selects, Enter submits: a key held down can never cast a vote.
const stage = element.querySelector('.rater-stage');
const token = new URLSearchParams(window.location.search).get('t') || '';
const FIELDS = ['fluency_left', 'fluency_right', 'preference'];
const NAMES = { fluency_left: 'a score for A', fluency_right: 'a score for B', preference: 'which reads better' };
const QUIET_MS = 600; // Enter is ignored right after a pair appears, so that one long press cannot answer two pairs
const PATIENCE_MS = 20000;
let busy = false, shownAt = 0, visibleMs = 0, visibleSince = null, lastCall = null;

const now = () => performance.now();
const field = (name) => stage.querySelector(`[data-field="${name}"]`);
const chosen = (name) => stage.querySelector(`input[name="${name}"]:checked`)?.value ?? null;
const pair = () => stage.querySelector('main.pair');

function tickClock() {
  if (visibleSince !== null) visibleMs += now() - visibleSince;
  visibleSince = document.hidden ? null : now();
}

function show(html) {
  stage.innerHTML = html; // made by the server, every text in it escaped; not through the template engine
  visibleMs = 0; visibleSince = document.hidden ? null : now(); shownAt = now();
  window.scrollTo(0, 0);
  stage.querySelector('[data-focus]')?.focus({ preventScroll: true });
  refresh();
}

function refresh() {
  if (!pair()) return;
  const missing = FIELDS.filter((name) => chosen(name) === null);
  const active = document.activeElement?.closest?.('[data-field]')?.dataset.field ?? missing[0] ?? FIELDS[0];
  FIELDS.forEach((name) => field(name).toggleAttribute('data-active', name === active));
  ['fluency_left', 'fluency_right'].forEach((name) => {
    const box = stage.querySelector(`input[name="${name}"]:checked`);
    field(name).querySelector('.anchor').textContent = box ? box.closest('label').title : '';
  });
  stage.querySelector('.missing').textContent = missing.length ? `Still open: ${missing.map((n) => NAMES[n]).join(', ')}` : '';
  stage.querySelector('[data-action="submit"]').classList.toggle('ready', !missing.length);
}

async function call(action, more = {}) {
  if (busy) return;
  busy = true; tickClock(); lastCall = [action, more];
  stage.setAttribute('aria-busy', 'true');
  stage.querySelectorAll('button').forEach((button) => { button.disabled = true; });
  stage.querySelector('.offline')?.remove();
  try {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error('late')), PATIENCE_MS));
    const reply = await Promise.race([server.step({ token, action, ...more }), late]);
    if (!reply || typeof reply.html !== 'string') throw new Error('no reply');
    show(reply.html);
  } catch (error) {
    offline();
  } finally {
    busy = false;
    stage.removeAttribute('aria-busy');
    stage.querySelectorAll('button').forEach((button) => { button.disabled = false; });
  }
}

// The same call may be sent again: the pair's key makes the second one the same rating.
function offline() {
  const box = document.createElement('div');
  box.className = 'offline'; box.setAttribute('role', 'alert');
  box.innerHTML = '<span>The lab does not answer. Nothing you chose is lost.</span> <button type="button" data-action="again">Try again</button>';
  stage.prepend(box);
}

function submit() {
  if (!pair()) return;
  const missing = FIELDS.filter((name) => chosen(name) === null);
  if (missing.length) { refresh(); focusField(missing[0]); return; }
  tickClock();
  call('submit', {
    key: pair().dataset.key, fluency_left: Number(chosen('fluency_left')), fluency_right: Number(chosen('fluency_right')),
    preference: chosen('preference'), comment: stage.querySelector('[name="comment"]').value, visible_ms: Math.round(visibleMs),
  });
}

function focusField(name) {
  const box = field(name).querySelector('input:checked') || field(name).querySelector('input');
  box.focus({ preventScroll: true });
  const place = field(name).getBoundingClientRect();
  if (place.top < 0 || place.bottom > window.innerHeight - 80) field(name).scrollIntoView({ block: 'center' });
}

function press(digit) {
  const name = stage.querySelector('[data-active]')?.dataset.field ?? FIELDS[0];
  const box = field(name).querySelectorAll('input')[digit - 1];
  if (!box) return;
  box.checked = true; box.focus({ preventScroll: true });
  const next = FIELDS[FIELDS.indexOf(name) + 1];
  if (next) focusField(next);
  refresh();
}

element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-action]');
  if (!button || busy) return;
  const action = button.dataset.action;
  if (action === 'again') call(...lastCall);
  else if (action === 'submit') submit();
  else if (action === 'skip') call('skip', { key: pair().dataset.key, reason: button.dataset.reason });
  else call(action);
});
element.addEventListener('change', refresh);
element.addEventListener('focusin', refresh);
document.addEventListener('visibilitychange', tickClock);
document.addEventListener('keydown', (event) => {
  if (busy || event.repeat || event.altKey || event.metaKey) return;
  const typing = event.target.closest?.('textarea');
  if (typing) {
    if (event.key === 'Enter' && event.ctrlKey) submit();
    return;
  }
  if (event.ctrlKey || !pair()) return;
  if (/^[1-5]$/.test(event.key)) { event.preventDefault(); press(Number(event.key)); }
  else if (event.key.toLowerCase() === 'u') stage.querySelector('[data-action="undo"]')?.click();
  else if (event.key === 'Enter' && !event.target.closest?.('button, summary, a') && now() - shownAt > QUIET_MS) {
    event.preventDefault(); submit();
  }
});
call('open');
