// Results while typing: `data-instant` is a URL that answers `?q=` with links of the role "option". Enter without a choice
// still goes to the page of results.
(() => {
  'use strict';
  document.querySelectorAll('input[data-instant]').forEach((input, index) => {
    const list = document.createElement('div');
    list.className = 'suggestions';
    list.id = `suggestions-${index}`;
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', input.dataset.list);
    list.hidden = true;
    input.parentElement.append(list);
    for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-controls', list.id], ['aria-expanded', 'false']]) {
      input.setAttribute(name, value);
    }

    let timer, request, chosen = -1;
    const options = () => [...list.querySelectorAll('[role=option]')];
    const close = () => {
      list.hidden = true;
      chosen = -1;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
    };
    const choose = (to) => {
      const all = options();
      if (!all.length) return;
      chosen = (to + all.length) % all.length;
      all.forEach((option, at) => option.setAttribute('aria-selected', String(at === chosen)));
      all[chosen].scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', all[chosen].id);
    };
    const ask = async () => {
      if (request) request.abort();
      const q = input.value.trim();
      if (!q) return close();
      const mine = request = new AbortController();
      try {
        const url = new URL(input.dataset.instant, location.href);
        url.searchParams.set('q', q);
        const answer = await fetch(url, { signal: mine.signal, headers: { accept: 'text/html' } });
        if (!answer.ok) return close();
        const html = await answer.text();
        if (mine !== request || document.activeElement !== input) return;
        list.innerHTML = html;
        const all = options();
        all.forEach((option, at) => { option.id = `${list.id}-${at}`; option.setAttribute('aria-selected', 'false'); });
        if (!all.length) {
          list.innerHTML = '<p></p>';
          list.firstChild.textContent = input.dataset.none;
          havre.say(input.dataset.none);
        }
        chosen = -1;
        input.removeAttribute('aria-activedescendant');
        list.hidden = false;
        input.setAttribute('aria-expanded', String(all.length > 0));
      } catch { /* a newer request took its place, or the network is gone: the page of results remains */ }
    };

    input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
    input.addEventListener('focus', () => { if (input.value.trim() && list.hidden) ask(); });
    input.addEventListener('blur', () => { clearTimeout(timer); close(); });
    // Pressing on a result must not take the focus, which would close the list before the click.
    list.addEventListener('mousedown', (event) => event.preventDefault());
    input.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      if (event.key === 'Escape' && !list.hidden) { event.preventDefault(); close(); }
      else if (event.key === 'ArrowDown' && list.hidden) { event.preventDefault(); ask(); }
      else if (event.key === 'ArrowDown') { event.preventDefault(); choose(chosen + 1); }
      else if (event.key === 'ArrowUp' && !list.hidden) { event.preventDefault(); choose(chosen < 0 ? -1 : chosen - 1); }
      else if (event.key === 'Enter' && chosen >= 0 && !list.hidden) { event.preventDefault(); options()[chosen].click(); }
    });
  });

  // Ctrl+K goes to the search, from everywhere.
  document.addEventListener('keydown', (event) => {
    const input = document.getElementById('q');
    if (input && event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
})();
