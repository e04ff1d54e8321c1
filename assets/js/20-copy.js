// Buttons that copy `data-copy` and say `data-copied` for a moment.
(() => {
  // There is no `navigator.clipboard` over plain HTTP.
  const byHand = (text) => {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    (document.querySelector('dialog[open]') || document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error('copy'));
  };
  const timers = new WeakMap();
  havre.on('click', '[data-copy]', (button) => {
    const text = button.dataset.copy;
    const write = navigator.clipboard ? navigator.clipboard.writeText(text).catch(() => byHand(text)) : byHand(text);
    write.then(() => {
      const word = button.querySelector('.word');
      if (!word) return;
      button.focus();
      if (!button.dataset.word) button.dataset.word = word.textContent;
      word.textContent = button.dataset.copied;
      button.classList.add('done');
      havre.say(button.dataset.copied);
      clearTimeout(timers.get(button));
      timers.set(button, setTimeout(() => {
        word.textContent = button.dataset.word;
        button.classList.remove('done');
      }, 2000));
    }, () => {});
  });
})();
