// WebOTP: the browser reads the code out of the text message, where it can. Nothing waits for it:
// on most desktops the promise never settles.

export const supported = () => 'OTPCredential' in window && Boolean(navigator.credentials?.get);

// Calls `onCode(code)` at most once, unless it is stopped or `timeoutMs` passes first. Answers the
// function that stops it.
export function listen(onCode, timeoutMs) {
  if (!supported()) return () => {};
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    controller.abort();
  };
  navigator.credentials.get({ otp: { transport: ['sms'] }, signal: controller.signal })
    .then((credential) => {
      if (credential?.code && !controller.signal.aborted) onCode(credential.code);
    })
    .catch(() => {})
    .finally(() => clearTimeout(timer));
  return stop;
}
