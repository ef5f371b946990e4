// A customer's endpoint for events: keeps what it got, answers what `answer(event)` says; undefined
// is no answer at all.
import http from 'node:http';
import { eventually } from './process.js';

export class Endpoint {
  static async start() {
    const endpoint = new Endpoint();
    endpoint.got = [];
    endpoint.answer = () => 204;
    endpoint.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (bytes) => chunks.push(bytes));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const event = { id: request.headers['webhook-id'], headers: request.headers, body,
          json: JSON.parse(body) };
        endpoint.got.push(event);
        const status = endpoint.answer(event);
        if (status === undefined) return;
        event.status = status;
        response.writeHead(status);
        response.end();
      });
    });
    await new Promise((resolve) => { endpoint.server.listen(0, '127.0.0.1', resolve); });
    return endpoint;
  }

  get url() { return `http://127.0.0.1:${this.server.address().port}/events`; }
  types() { return this.got.map(({ json }) => json.type); }
  until(type, count = 1) {
    return eventually(`${count} of ${type}, not only ${this.types()}`, () => {
      const found = this.got.filter(({ json }) => json.type === type);
      return found.length >= count && found;
    });
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}
