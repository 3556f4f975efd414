// Fetches the page again when something happened, and keeps the reader's place and open details.
const live = document.querySelector('[data-live]');
if (live) {
  const id = live.dataset.live;
  const isOverview = id === '/';
  let timer = 0;

  const names = (root) => {
    const seen = new Map();
    return [...root.querySelectorAll('details')].map((item) => {
      const text = item.firstElementChild?.textContent ?? '';
      const nth = (seen.get(text) ?? 0) + 1;
      seen.set(text, nth);
      return [`${nth}:${text}`, item];
    });
  };

  const isBusy = () => [...live.querySelectorAll('input')].some((input) => input === document.activeElement || input.value !== '');

  const refresh = async () => {
    timer = 0;
    if (isBusy()) {
      soon();
      return;
    }
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok || isBusy()) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]');
    if (!fresh) return;
    const open = new Map(names(live).map(([name, item]) => [name, item.open]));
    const focused = document.activeElement?.getAttribute('href');
    live.replaceChildren(...fresh.childNodes);
    for (const [name, item] of names(live)) {
      if (open.has(name)) item.open = open.get(name);
    }
    if (focused) [...live.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus({ preventScroll: true });
  };

  const soon = () => { timer ||= setTimeout(refresh, 1000); };
  const source = new EventSource(isOverview ? '/api/events' : `/api/jobs/${id}/events?after=${live.dataset.sequence}`);
  source.addEventListener(isOverview ? 'change' : 'entry', soon);
  // What changed while the line was down is not told again on the overview.
  let wasOpen = false;
  source.addEventListener('open', () => { if (wasOpen) soon(); wasOpen = true; });
}
