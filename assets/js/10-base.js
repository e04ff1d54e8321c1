// What the other files share. Everything here makes a working page better; nothing may be needed by one.
window.havre = (() => {
  'use strict';
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
    // Storage may be forbidden; a choice is then not remembered, and that is all.
    recall: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    remember: (key, value) => { try { localStorage.setItem(key, value); } catch { /* forbidden */ } },
  };
})();
