// The audit log as an auditor of another house would check it: the export file, and the chain by
// the words of docs/audit.md alone.
import { execFile } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// A program's {code, out, err}.
export function run(file, args, options = {}) {
  return new Promise((resolve) => {
    execFile(file, args, { maxBuffer: 64 << 20, ...options }, (error, out, err) => {
      resolve({ code: error ? error.code : 0, out, err });
    });
  });
}

// `otpd audit …` against the stack's otpd; with `env` {} it has no configuration.
export const audit = (stack, args, env = stack.environment()) =>
  run(path.join(stack.from, 'otpd'), ['audit', ...args], { cwd: stack.dir, env });

export const readRecords = (file) =>
  readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
export const writeRecords = (file, records) =>
  writeFileSync(file, records.map((one) => `${JSON.stringify(one)}\n`).join(''));

const little = (value, bytes) => {
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 1) buffer[i] = Number((BigInt(value) >> BigInt(8 * i)) & 0xffn);
  return buffer;
};

const fields = ['id', 'user_id', 'channel_hash', 'event_type', 'ip_address', 'country',
  'created_at', 'verification_id', 'purpose', 'provider', 'detail'];

function canonical(event) {
  const texts = fields.map((name) =>
    Buffer.from(name === 'created_at' ? String(Date.parse(event[name])) : event[name] ?? ''));
  if (event.application) texts.push(Buffer.from(event.application));
  return Buffer.concat(texts.flatMap((text) => [little(text.length, 4), text]));
}

// The hash of a line after the one with that hash.
export function hashOf(before, { chain, number, event }) {
  const bytes = [Buffer.from(before, 'hex'), little(chain, 4), little(number, 8), canonical(event)];
  return createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
}

export const noHash = '0'.repeat(64);

// Hashes every line anew, as a forger would.
export function hashAnew(lines) {
  let hash = noHash;
  for (const line of lines) {
    hash = hashOf(hash, line);
    line.hash = hash;
  }
}

// Signs every checkpoint anew with a key of one's own, over the hashes that the lines now have; the
// public key in hexadecimal.
export function signAnew(records) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const lines = records.filter((one) => one.line).map((one) => one.line);
  for (const { checkpoint } of records.filter((one) => one.checkpoint)) {
    checkpoint.hash = lines.find((line) => line.number === checkpoint.number).hash;
    checkpoint.signature = sign(null, Buffer.concat([
      Buffer.from('otpd audit checkpoint 1'), little(checkpoint.chain, 4),
      little(checkpoint.number, 8), little(Date.parse(checkpoint.at), 8),
      Buffer.from(checkpoint.hash, 'hex'),
    ]), createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))).toString('hex');
  }
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
}
