// Time: how long a unit was visible while somebody was there, and a short trail of what happened, sent with the verdict.
const IDLE_MS = 120000; // without any input for so long nobody is taken to be reading
const TRAIL_LIMIT = 200;
const clock = { shownAt: 0, earlier: 0, visible: 0, since: null, inputAt: 0, changes: 0, trail: [] };
const now = () => performance.now();
const sinceShown = () => Math.round(clock.earlier + now() - clock.shownAt);

function startClock(kept) {
  Object.assign(clock, {
    shownAt: now(), earlier: kept?.total ?? 0, visible: kept?.visible ?? 0, inputAt: now(),
    since: document.hidden ? null : now(), changes: kept?.changes ?? 0, trail: kept?.trail ?? [],
  });
}

function tick() {
  if (clock.since !== null) clock.visible += Math.max(0, Math.min(now(), clock.inputAt + IDLE_MS) - clock.since);
  clock.since = document.hidden ? null : now();
}

function noteStep(kind, more = {}) {
  if (clock.trail.length < TRAIL_LIMIT) clock.trail.push({ kind, ms: sinceShown(), ...more });
}

function somebodyIsThere() {
  const quiet = now() - clock.inputAt;
  if (quiet > IDLE_MS) {
    tick();
    noteStep('idle', { ms: Math.round(sinceShown() - quiet + IDLE_MS), until: sinceShown() });
  }
  clock.inputAt = now();
}

document.addEventListener('visibilitychange', () => { tick(); noteStep(document.hidden ? 'blur' : 'focus'); });
window.addEventListener('blur', () => noteStep('blur', { field: 'window' }));
window.addEventListener('focus', () => noteStep('focus', { field: 'window' }));
['pointerdown', 'pointermove', 'keydown', 'scroll', 'touchstart'].forEach((kind) => {
  window.addEventListener(kind, somebodyIsThere, { passive: true, capture: true });
});
