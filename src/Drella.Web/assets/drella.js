// Fetches the page again when something happened, and keeps the reader's place and open details.
const live = document.querySelector('[data-live]');
if (live) {
  const id = live.dataset.live;
  let timer = 0;
  const refresh = async () => {
    timer = 0;
    if (document.activeElement?.matches('input')) return;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]');
    const open = [...live.querySelectorAll('details')].map((item) => item.open);
    live.replaceChildren(...fresh.childNodes);
    [...live.querySelectorAll('details')].forEach((item, index) => { if (index < open.length) item.open = open[index]; });
  };
  const soon = () => { timer ||= setTimeout(refresh, 400); };
  if (id === '/') {
    setInterval(soon, 2000);
  } else {
    const source = new EventSource(`/api/jobs/${id}/events?after=${live.dataset.sequence}`);
    source.addEventListener('entry', soon);
  }
}
