// The carriers' names as people read them.
export const faces = {
  twilio: { name: 'Twilio', kind: 'text messages' },
  'twilio-voice': { name: 'Twilio Voice', kind: 'calls' },
  vonage: { name: 'Vonage', kind: 'text messages' },
  sns: { name: 'Amazon SNS', kind: 'text messages', silent: true },
  whatsapp: { name: 'WhatsApp', kind: 'Cloud API' },
  generic: { name: 'Generic', kind: 'plain JSON' },
  smpp: { name: 'SMPP', kind: 'text messages' },
  smtp: { name: 'Mail', kind: 'SMTP', silent: true },
};

export const faceName = (face) => faces[face]?.name ?? face;

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
