// What the other files share; they are served as one. They make pages better that work without them.
'use strict';
const havre = (() => {
  const status = document.getElementById('announce');
  return {
    on: (type, selector, act) => document.addEventListener(type, (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) act(found, event);
    }),
    // The same words twice in a row are heard once only, unless the region was empty in between.
    say: (text) => {
      if (!status) return;
      status.textContent = '';
      setTimeout(() => { status.textContent = text; }, 50);
    },
    // Storage may be forbidden: the choice is then not remembered.
    recall: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    remember: (key, value) => { try { localStorage.setItem(key, value); } catch {} },
  };
})();
