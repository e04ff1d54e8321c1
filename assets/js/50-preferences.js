// Language and theme take effect when chosen; the theme without loading the page again.
(() => {
  havre.on('change', '[data-preferences] select', (select) => {
    const form = select.form;
    if (select.name !== 'theme') return form.requestSubmit();
    document.documentElement.dataset.theme = select.value;
    fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual' }).catch(() => {});
  });
})();
