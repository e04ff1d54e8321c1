// The tool chosen for one command (docker, podman …) is chosen for all, and remembered.
(() => {
  const choose = (tool) => {
    for (const radio of document.querySelectorAll('[data-variants] input[type=radio]')) {
      if (radio.value === tool) radio.checked = true;
    }
  };
  const tool = havre.recall('tool');
  if (tool) choose(tool);
  havre.on('change', '[data-variants] input[type=radio]', (radio) => {
    havre.remember('tool', radio.value);
    choose(radio.value);
  });
})();
