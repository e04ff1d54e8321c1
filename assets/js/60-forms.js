// Previews of Markdown, tables that filter, dialogs, menus, and names to type before a deletion.
(() => {
  havre.on('click', '[data-preview-toggle]', async (button) => {
    const editor = button.closest('[data-preview]');
    const text = editor.querySelector('textarea');
    const shown = editor.querySelector('.editor-preview');
    const show = shown.hidden;
    if (show) {
      const body = new URLSearchParams({ text: text.value, csrf: editor.dataset.csrf });
      const answer = await fetch(editor.dataset.preview, { method: 'POST', body }).catch(() => null);
      if (!answer || !answer.ok) return;
      // Sanitised by the server, as on the page itself.
      shown.innerHTML = await answer.text();
    }
    button.dataset.show = button.dataset.show || button.textContent;
    button.textContent = show ? button.dataset.edit : button.dataset.show;
    button.ariaPressed = String(show);
    shown.hidden = !show;
    text.hidden = show;
    if (!show) text.focus();
  });

  havre.on('input', 'input[data-filter]', (input) => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of document.querySelectorAll(`#${CSS.escape(input.dataset.filter)} > tbody > tr`)) {
      const text = row.textContent.toLowerCase();
      row.classList.toggle('none-match', !words.every((word) => text.includes(word)));
    }
  });

  // A link with `data-dialog` opens the dialog of that id, when the page has it; otherwise it leads to a page of its own.
  havre.on('click', '[data-dialog]', (opener, event) => {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!dialog || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    dialog.showModal();
  });
  havre.on('click', '[data-close]', (button) => button.closest('dialog')?.close());
  havre.on('click', 'dialog', (dialog, event) => { if (event.target === dialog) dialog.close(); });

  // The server compares too: this only spares a round trip.
  const typed = (input) => {
    const button = input.form && input.form.querySelector('button[type=submit]');
    if (button) button.disabled = input.value.trim() !== input.dataset.typed;
  };
  document.querySelectorAll('input[data-typed]').forEach(typed);
  havre.on('input', 'input[data-typed]', typed);

  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details[data-menu][open]')) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && document.querySelector('details[data-menu][open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
})();
