// "3 minutes ago" stays true while the page is open. Older times do not change before the next visit.
(() => {
  'use strict';
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'always' });
  const refresh = () => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (seconds >= 60 && seconds < 3600) time.textContent = words.format(-Math.floor(seconds / 60), 'minute');
      else if (seconds >= 3600 && seconds < 86400) time.textContent = words.format(-Math.floor(seconds / 3600), 'hour');
    }
  };
  setInterval(refresh, 60000);
  document.addEventListener('visibilitychange', refresh);
})();
