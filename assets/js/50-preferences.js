// A theme takes effect when it is chosen. A language loads the page anew, so it waits for the button.
(() => {
  havre.on('change', '[data-preferences] [name=theme]', (select) => {
    const form = select.form;
    document.documentElement.dataset.theme = select.value;
    fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual' }).catch(() => {});
  });
})();
