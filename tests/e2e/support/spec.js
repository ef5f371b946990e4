// docs/openapi.yaml as a validator: finds the operation of a request and checks an answer against
// the documented status, headers and body.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const specPath = fileURLToPath(new URL('../../../docs/openapi.yaml', import.meta.url));
const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
const escapePointer = (part) => part.replaceAll('~', '~0').replaceAll('/', '~1');
const pointer = (...parts) => `#/${parts.map((part) => escapePointer(String(part))).join('/')}`;

export class Spec {
  constructor(text = readFileSync(specPath, 'utf8')) {
    this.document = parse(text);
    this.ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema(this.document, 'openapi');
    this.validators = new Map();
  }

  // Every operation as {id, method, path, pattern, parameters, definition}.
  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      methods.filter((method) => item[method]).map((method) => ({
        id: item[method].operationId,
        method: method.toUpperCase(),
        path,
        pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
        at: pointer('paths', path, method),
        definition: item[method],
      })));
  }

  // The operation that a request means, or undefined; a literal path wins over a template.
  operationOf(method, target) {
    const path = target.split('?')[0];
    const matching = this.operations().filter((operation) => operation.pattern.test(path));
    const literal = matching.filter((operation) => operation.path === path);
    return (literal.length > 0 ? literal : matching).find((one) => one.method === method);
  }

  knowsPath(target) {
    return this.operations().some((operation) => operation.pattern.test(target.split('?')[0]));
  }

  // [value, where it stands] behind any number of $refs.
  resolve(at) {
    const value = at.slice(2).split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce((node, part) => node?.[part], this.document);
    if (value === undefined) throw new Error(`the spec has no ${at}`);
    return value.$ref && Object.keys(value).length === 1 ? this.resolve(value.$ref) : [value, at];
  }

  // The complaints about `value` under the schema at `at`; none if it conforms.
  complaints(at, value) {
    if (!this.validators.has(at)) {
      const uri = at.split('/').map((part) => encodeURIComponent(part).replaceAll('%23', '#'));
      this.validators.set(at, this.ajv.compile({ $ref: `openapi${uri.join('/')}` }));
    }
    const validate = this.validators.get(at);
    if (validate(value)) return [];
    return validate.errors.map((error) =>
      `${error.instancePath || 'body'} ${error.message} ${JSON.stringify(error.params)}`);
  }

  // Where the definition of this answer stands.
  responseAt(method, target, status) {
    const operation = this.operationOf(method, target);
    if (operation) return `${operation.at}/responses/${status}`;
    return this.knowsPath(target)
      ? '#/components/responses/MethodNotAllowed'
      : '#/components/responses/NotFound';
  }

  // The complaints about an answer {status, headers, body}: `headers` by lower-case name, `body`
  // as text.
  check(method, target, answer) {
    const where = this.responseAt(method, target, answer.status);
    let response, at;
    try {
      [response, at] = this.resolve(where);
    } catch {
      return [`${method} ${target}: ${answer.status} is not documented: ${answer.body}`];
    }
    const found = [...this.checkHeaders(at, response, answer),
      ...this.checkBody(at, response, answer)];
    return found.map((text) => `${method} ${target} ${answer.status}: ${text}\n  ${answer.body}`);
  }

  checkHeaders(at, response, answer) {
    return Object.keys(response.headers ?? {}).flatMap((name) => {
      const [header, headerAt] = this.resolve(`${at}/headers/${escapePointer(name)}`);
      const text = answer.headers[name.toLowerCase()];
      if (text === undefined) return header.required ? [`header ${name} is missing`] : [];
      const value = header.schema.type === 'integer' ? Number(text) : text;
      return this.complaints(`${headerAt}/schema`, value).map((why) => `header ${name}: ${why}`);
    });
  }

  checkBody(at, response, answer) {
    const type = (answer.headers['content-type'] ?? '').split(';')[0].trim();
    if (!response.content) return answer.body === '' ? [] : ['a body where none is documented'];
    if (!response.content[type]) return [`Content-Type "${type}" is not documented`];
    let value = answer.body;
    if (type.endsWith('json') && !type.endsWith('ndjson')) {
      try {
        value = JSON.parse(answer.body);
      } catch (error) {
        return [`not JSON: ${error.message}`];
      }
      if (type === 'application/problem+json' && value.status !== answer.status) {
        return [`member status is ${value.status}`];
      }
    }
    return this.complaints(`${at}/content/${escapePointer(type)}/schema`, value);
  }

  // Every documented error name.
  errorNames() {
    return Object.values(this.document.components.schemas)
      .map((schema) => schema.properties?.error?.const)
      .filter(Boolean)
      .filter((name, index, all) => all.indexOf(name) === index);
  }
}
