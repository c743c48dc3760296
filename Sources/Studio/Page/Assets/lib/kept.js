// What this browser remembers for itself. Where it may not, nothing is remembered.

/** What was kept under a name. */
export function kept(name) {
  try { return JSON.parse(localStorage.getItem(`reverie.${name}`)); } catch { return null; }
}

/** Keeps a value under a name; null forgets it. */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`reverie.${name}`);
    else localStorage.setItem(`reverie.${name}`, JSON.stringify(value));
  } catch { /* then it is not remembered */ }
}
