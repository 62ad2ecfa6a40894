// Asks Prometheus and Loki, a few questions at a time.

const most = 4;
let busy = 0;
const waiting = [];

async function turn(work) {
  if (busy >= most) await new Promise((go) => waiting.push(go));
  busy++;
  try {
    return await work();
  } finally {
    busy--;
    waiting.shift()?.();
  }
}

export function get(path, params) {
  return turn(async () => {
    const res = await fetch(`${path}?${new URLSearchParams(params)}`);
    const body = await res.text();
    if (!res.ok) throw new Error(`${path} answers ${res.status}: ${body.slice(0, 300)}`);
    return JSON.parse(body);
  });
}
