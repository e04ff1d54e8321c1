// Results while typing: `data-instant` answers `?q=` with links of the role "option". Enter alone opens the page of results.
(() => {
  document.querySelectorAll('input[data-instant]').forEach((input, index) => {
    const list = document.createElement('div');
    list.className = 'suggestions';
    list.id = `suggestions-${index}`;
    list.role = 'listbox';
    list.ariaLabel = input.dataset.list;
    list.hidden = true;
    input.parentElement.append(list);
    input.role = 'combobox';
    input.ariaAutoComplete = 'list';
    input.ariaExpanded = 'false';
    input.setAttribute('aria-controls', list.id);

    let timer, request, chosen = -1;
    const options = () => [...list.querySelectorAll('[role=option]')];
    const close = () => {
      list.hidden = true;
      chosen = -1;
      input.ariaExpanded = 'false';
      input.removeAttribute('aria-activedescendant');
    };
    const choose = (to) => {
      const all = options();
      if (!all.length) return;
      chosen = (to + all.length) % all.length;
      all.forEach((option, at) => option.ariaSelected = String(at === chosen));
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
        all.forEach((option, at) => { option.id = `${list.id}-${at}`; option.ariaSelected = 'false'; });
        if (!all.length) {
          list.innerHTML = '<p></p>';
          list.firstChild.textContent = input.dataset.none;
          havre.say(input.dataset.none);
        }
        chosen = -1;
        input.removeAttribute('aria-activedescendant');
        list.hidden = false;
        input.ariaExpanded = String(all.length > 0);
      } catch { /* a newer request took its place, or the network is gone: the page of results remains */ }
    };

    input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
    input.addEventListener('focus', () => { if (input.value.trim() && list.hidden) ask(); });
    input.addEventListener('blur', () => { clearTimeout(timer); close(); });
    // Pressing on a result must not take the focus, which would close the list before the click.
    list.addEventListener('mousedown', (event) => event.preventDefault());
    input.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      if (event.key === 'ArrowDown') list.hidden ? ask() : choose(chosen + 1);
      else if (list.hidden) return;
      else if (event.key === 'ArrowUp') choose(chosen < 0 ? -1 : chosen - 1);
      else if (event.key === 'Escape') close();
      else if (event.key === 'Enter' && chosen >= 0) options()[chosen].click();
      else return;
      event.preventDefault();
    });
  });

  // Ctrl+K goes to the search, from everywhere.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'k' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    document.getElementById('bar-q')?.select();
  });
})();
