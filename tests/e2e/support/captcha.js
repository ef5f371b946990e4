// Captchas as npm altcha-lib solves them.
import { solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';

export { deriveKey };
export const solve = (challenge) => solveChallenge({ challenge, deriveKey });
export const payloadOf = (challenge, solution) =>
  Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
