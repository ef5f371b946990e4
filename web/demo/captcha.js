// Captchas: an ALTCHA proof of work, solved by workers beside the page.

const timeLimitMs = 60_000;

function work(worker, parameters, from, step) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => reject(new Error('the worker failed'));
    worker.postMessage({ parameters, from, step });
  });
}

// The payload that answers the challenge, or null if it could not be found in time.
export async function solveCaptcha(challenge, {
  makeWorker = () => new Worker('/demo/captcha_worker.js'),
  threads = Math.min(4, navigator.hardwareConcurrency || 1),
} = {}) {
  const workers = [];
  const started = performance.now();
  let timer;
  try {
    for (let i = 0; i < threads; i += 1) workers.push(makeWorker());
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('too late')), timeLimitMs);
    });
    const found = await Promise.race([late,
      ...workers.map((worker, i) => work(worker, challenge.parameters, i, threads))]);
    const solution = { ...found, time: Math.round(performance.now() - started) };
    return btoa(JSON.stringify({ challenge, solution }));
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    for (const worker of workers) worker.terminate();
  }
}
