// "3 minutes ago" stays true while the page is open. Older times do not change before the next visit.
(() => {
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'always' });
  const refresh = () => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000);
      if (minutes >= 1 && minutes < 60) time.textContent = words.format(-minutes, 'minute');
      else if (minutes >= 60 && minutes < 1440) time.textContent = words.format(-Math.floor(minutes / 60), 'hour');
    }
  };
  setInterval(refresh, 60000);
  document.addEventListener('visibilitychange', refresh);
})();
