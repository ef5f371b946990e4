// Tries counters from `from` on, `step` apart, until one's key begins with the asked prefix.

const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

async function solve({ parameters, from, step }) {
  const nonce = fromHex(parameters.nonce);
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  const last = new DataView(password.buffer, nonce.length);
  const method = {
    name: 'PBKDF2', hash: 'SHA-256', salt: fromHex(parameters.salt), iterations: parameters.cost,
  };
  for (let counter = from; ; counter += step) {
    last.setUint32(0, counter);
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    const bits = await crypto.subtle.deriveBits(method, key, parameters.keyLength * 8);
    const derivedKey = toHex(new Uint8Array(bits));
    if (derivedKey.startsWith(parameters.keyPrefix)) return { counter, derivedKey };
  }
}

onmessage = async ({ data }) => postMessage(await solve(data));
