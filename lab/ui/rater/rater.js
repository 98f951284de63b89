// The rater's page: asks the lab for each screen and shows it. Every call carries the link's token; nothing else is kept.
const token = new URLSearchParams(window.location.search).get('t') || '';
const stage = element.querySelector('.rater-stage');
const live = element.querySelector('.live');
const PATIENCE_MS = 20000;
const KEEPS_PLACE = ['language', 'flag'];
const RESTING = ['rest', 'paused']; // the unit comes back afterwards, and with it what was chosen
let busy = false, screenAt = 0, counting = null, lastCall = null, picked = null, language = '';

const calm = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;
const wishes = () => [language, ...(navigator.languages ?? [navigator.language])].filter(Boolean);
const word = (key) => (WORDS[wishes().map((one) => one.slice(0, 2).toLowerCase()).find((one) => one in WORDS) ?? 'en'])[key];
const say = (text) => { live.textContent = ''; setTimeout(() => { live.textContent = text; }, 50); };

// Gradio does not say why a call failed; the status of its answer does: 0 when none came, 429 when it was one too many.
const answered = { status: 0, wait: 0 };
const plainFetch = window.fetch;
window.fetch = async (...asked) => {
  const ours = String(asked[0]?.url ?? asked[0]).includes('/component_server');
  if (ours) answered.status = 0;
  const reply = await plainFetch.apply(window, asked);
  if (ours) Object.assign(answered, { status: reply.status, wait: Number(reply.headers.get('retry-after')) || 60 });
  return reply;
};

function show(reply, action) {
  const before = form()?.dataset.key;
  const height = window.scrollY;
  clearTimeout(counting);
  language = reply.language || language;
  stage.innerHTML = reply.html; // made by the lab, every text in it escaped; not through the template engine
  document.documentElement.lang = language;
  document.title = stage.firstElementChild.dataset.title ?? document.title;
  screenAt = now();
  const box = form();
  const same = box && box.dataset.key === before;
  if (box) {
    const draft = draftOf(box);
    restore(box, draft);
    startClock(draft);
    asked(box).forEach((field) => { if (chosen(field) !== null) field.dataset.was = chosen(field); });
    forgetDrafts(box.dataset.key);
    countDown();
  } else if (!RESTING.includes(reply.screen)) forgetDrafts('');
  window.scrollTo(0, same && KEEPS_PLACE.includes(action) ? height : 0);
  stage.querySelector('[data-focus]')?.focus({ preventScroll: true });
  refresh();
  if (action === 'submit' && !stage.querySelector('.alert')) say(word('saved'));
}

async function call(action, more = {}) {
  if (busy) return;
  busy = true; lastCall = [action, more];
  keepDraft();
  stage.setAttribute('aria-busy', 'true');
  stage.querySelector('.offline')?.remove();
  try {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error('late')), PATIENCE_MS));
    const asking = { token, action, chosen: picked, languages: wishes(), ...more };
    const reply = await Promise.race([server.step(asking), late]);
    if (!reply || typeof reply.html !== 'string') throw new Error('no reply');
    show(reply, action);
  } catch {
    noReply({ 0: 'offline', 429: 'busy' }[answered.status] ?? 'trouble');
  } finally {
    busy = false;
    stage.removeAttribute('aria-busy');
  }
}

// The same call may be sent again: the unit's key makes the second one the same rating.
function noReply(why) {
  const box = document.createElement('div');
  box.className = 'offline'; box.setAttribute('role', 'alert');
  const text = document.createElement('span');
  text.textContent = word(why).replace('{n}', answered.wait);
  const again = document.createElement('button');
  again.type = 'button'; again.dataset.again = why; again.textContent = word('again');
  box.append(text, again);
  stage.querySelector('.loading')?.remove();
  stage.querySelectorAll('dialog[open]').forEach((one) => one.close());
  stage.prepend(box);
  again.focus({ preventScroll: true });
}

// A lab that was updated meanwhile may not know this page any more: then it is loaded afresh, and what was chosen stays.
async function tryAgain(why) {
  if (why !== 'trouble') { call(...lastCall); return; }
  keepDraft();
  const there = await fetch(window.location.href, { method: 'HEAD' }).then((reply) => reply.ok, () => false);
  if (there) window.location.reload(); else call(...lastCall);
}

function submit() {
  const box = form();
  if (!box || busy) return;
  const open = openFields(box);
  if (open.length) { refresh(); goTo(open[0]); say(stillOpen(open)); return; }
  if (waited(box)) call(box.dataset.form, payload(box));
}

function act(button) {
  const { action, language: code, reason } = button.dataset;
  const key = form()?.dataset.key;
  if (action === 'language') { picked = code; call('language', { language: code }); }
  else if (action === 'skip') call('skip', { key, reason });
  else if (action === 'flag') call('flag', { key, text: stage.querySelector('[name="report"]').value });
  else call(action);
}

function openWindow(name) {
  const one = stage.querySelector(`[data-window="${name}"]`);
  stage.querySelectorAll('.menu[open]').forEach((menu) => { menu.open = false; });
  one?.showModal();
  (one?.querySelector('textarea') ?? one?.querySelector('.item, [type=radio]') ?? one?.querySelector('h2'))?.focus();
}

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  stage.querySelectorAll('.menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  if (event.target.matches('dialog')) event.target.close(); // beside the window
  if (!button || busy) return;
  const { again, action, open, close, submit: send, nextOpen, leave } = button.dataset;
  if (again !== undefined) tryAgain(again);
  else if (open) openWindow(open);
  else if (close !== undefined) button.closest('dialog').close();
  else if (send !== undefined) submit();
  else if (nextOpen !== undefined) { const field = openFields(form())[0]; if (field) goTo(field); }
  else if (leave !== undefined) call('withdraw', { keep: stage.querySelector('[name="leave"]:checked').value === 'keep' });
  else if (action) act(button);
});
element.addEventListener('change', (event) => {
  if (event.target.name === 'leave') {
    const go = stage.querySelector('[data-leave]');
    go.disabled = false;
    go.textContent = go.dataset[event.target.value];
  } else if (event.target.matches('[data-field] input')) changed(event.target);
});
element.addEventListener('input', (event) => { if (event.target.matches('textarea')) keepDraft(); });
element.addEventListener('focusin', refresh);
window.addEventListener('online', () => { if (stage.querySelector('.offline') && !busy) call(...lastCall); });
call('open');
