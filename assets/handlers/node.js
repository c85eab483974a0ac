// What a Node.js handler finds around it in kinlab's QuickJS: Buffer, console, timers on virtual time, process.env, require of the modules
// that workshop handlers use, and the AWS SDK (2 and 3) routed into the simulation. Host functions begin with two underscores.
(() => {
  'use strict';
  const RealDate = Date;
  let now = __start;
  let timers = [];
  let timerId = 0;

  class VirtualDate extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(now); else super(...args);
    }
    static now() { return now; }
  }
  globalThis.Date = VirtualDate;
  Math.random = () => __random();

  // Bytes go to the host as a text of characters below 256.
  const raw = (bytes) => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
    return text;
  };

  class Buffer extends Uint8Array {
    static from(value, encoding) {
      if (typeof value === 'string') return Buffer.of_(__encode(value, encoding || 'utf8'));
      if (value instanceof ArrayBuffer) return Buffer.of_(new Uint8Array(value));
      if (value && value.type === 'Buffer' && Array.isArray(value.data)) return Buffer.of_(Uint8Array.from(value.data));
      return Buffer.of_(Uint8Array.from(value));
    }
    static of_(bytes) { return new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength); }
    static alloc(size, fill) { const b = new Buffer(size); if (fill) b.fill(fill); return b; }
    static allocUnsafe(size) { return new Buffer(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(value, encoding) { return typeof value === 'string' ? __encode(value, encoding || 'utf8').length : value.byteLength; }
    static concat(list, total) {
      const size = total === undefined ? list.reduce((n, b) => n + b.length, 0) : total;
      const out = new Buffer(size);
      let at = 0;
      for (const b of list) { out.set(b.subarray(0, Math.max(0, size - at)), at); at += b.length; }
      return out;
    }
    toString(encoding, start = 0, end = this.length) { return __decode(raw(this.subarray(start, end)), encoding || 'utf8'); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return this.length === other.length && this.every((b, i) => b === other[i]); }
    slice(a, b) { return Buffer.of_(this.subarray(a, b)); }
    write(text, at = 0) { const b = Buffer.from(text); this.set(b, at); return b.length; }
  }
  globalThis.Buffer = Buffer;
  globalThis.atob = (text) => Buffer.from(text, 'base64').toString('latin1');
  globalThis.btoa = (text) => Buffer.from(text, 'latin1').toString('base64');
  globalThis.TextEncoder = class { encode(text = '') { return new Uint8Array(Buffer.from(text)); } };
  globalThis.TextDecoder = class { decode(bytes) { return bytes === undefined ? '' : Buffer.from(bytes).toString(); } };

  const show = (value) => {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return value.stack ? `${value.name}: ${value.message}\n${value.stack}` : `${value.name}: ${value.message}`;
    if (typeof value === 'function') return `[Function: ${value.name || '(anonymous)'}]`;
    if (typeof value === 'object' && value !== null) { try { return JSON.stringify(value); } catch (e) { return '[Circular]'; } }
    return String(value);
  };
  const format = (args) => {
    if (typeof args[0] === 'string' && /%[sdifjoO%]/.test(args[0])) {
      let at = 1;
      const text = args[0].replace(/%([sdifjoO%])/g, (all, kind) => {
        if (kind === '%') return '%';
        if (at >= args.length) return all;
        const value = args[at++];
        if (kind === 'd' || kind === 'f') return String(Number(value));
        if (kind === 'i') return String(parseInt(value, 10));
        return kind === 's' ? show(value) : JSON.stringify(value);
      });
      return [text, ...args.slice(at).map(show)].join(' ');
    }
    return args.map(show).join(' ');
  };
  const level = (name) => (...args) => __print(`${name}\t${format(args)}`);
  globalThis.console = { log: level('INFO'), info: level('INFO'), debug: level('DEBUG'), warn: level('WARN'), error: level('ERROR'), trace: level('TRACE'), table: level('INFO'), time() {}, timeEnd() {}, dir: level('INFO') };

  const addTimer = (fn, delay, args, repeat) => {
    timers.push({ id: ++timerId, at: now + Math.max(delay || 0, repeat ? 1 : 0), fn, args, repeat });
    return { ref() { return this; }, unref() { return this; }, id: timerId, [Symbol.toPrimitive]() { return this.id; } };
  };
  const dropTimer = (t) => { const id = t && typeof t === 'object' ? t.id : t; timers = timers.filter((x) => x.id !== id); };
  globalThis.setTimeout = (fn, delay, ...args) => addTimer(fn, delay, args);
  globalThis.setInterval = (fn, delay, ...args) => addTimer(fn, delay, args, Math.max(delay || 0, 1));
  globalThis.setImmediate = (fn, ...args) => addTimer(fn, 0, args);
  globalThis.clearTimeout = globalThis.clearInterval = globalThis.clearImmediate = dropTimer;
  globalThis.queueMicrotask = (fn) => { Promise.resolve().then(fn); };
  globalThis.global = globalThis;
  globalThis.process = {
    env: JSON.parse(__env), version: 'v22.0.0', versions: { node: '22.0.0' }, platform: 'linux', argv: ['node'], pid: 1, exitCode: undefined,
    nextTick: (fn, ...args) => { Promise.resolve().then(() => fn(...args)); },
    hrtime: Object.assign(() => [Math.floor(now / 1000), (now % 1000) * 1e6], { bigint: () => BigInt(now) * 1000000n }),
    on() {}, once() {}, memoryUsage: () => ({ rss: 0, heapUsed: 0, heapTotal: 0 }), uptime: () => 0, cwd: () => '/var/task',
    exit(code) { throw new Error(`Runtime exited with status ${code || 0}`); },
  };

  // ---- AWS SDK -------------------------------------------------------------------------------------------------------------------------
  const wire = (value) => {
    if (value instanceof Uint8Array) return { __bytes: __decode(raw(value), 'base64') };
    if (value instanceof VirtualDate || value instanceof RealDate) return value.getTime() / 1000;
    if (Array.isArray(value)) return value.map(wire);
    if (value && typeof value === 'object') { const out = {}; for (const [k, v] of Object.entries(value)) if (v !== undefined) out[k] = wire(v); return out; }
    return value;
  };
  // Members of answers that are bytes; a table's own attributes are objects, whatever their names.
  const BLOBS = new Set(['Data', 'Payload', 'B']);
  const unwire = (value, name) => {
    if (typeof value === 'string' && BLOBS.has(name)) return Buffer.from(value, 'base64');
    if (Array.isArray(value)) return value.map((v) => unwire(v, name === 'BS' ? 'B' : ''));
    if (value && typeof value === 'object') { const out = {}; for (const [k, v] of Object.entries(value)) out[k] = unwire(v, k); return out; }
    return value;
  };
  // The calls wait in a queue; the host takes them one by one and answers, so every call settles later, as over a network.
  const queue = [];
  const waiting = {};
  let callId = 0;
  const send = (service, operation, params) => new Promise((resolve, reject) => {
    const id = ++callId;
    waiting[id] = { resolve, reject };
    queue.push({ id, service, operation, params: wire(params || {}) });
  });
  globalThis.__take = () => (queue.length ? JSON.stringify(queue.shift()) : '');
  globalThis.__answer = (id, text) => {
    const { resolve, reject } = waiting[id];
    delete waiting[id];
    const answer = JSON.parse(text);
    if (!answer.error) return resolve(unwire(answer.ok, ''));
    const error = new Error(answer.error.message);
    error.name = error.code = answer.error.code;
    error.statusCode = answer.error.status;
    error.retryable = answer.error.retryable;
    error.$metadata = { httpStatusCode: answer.error.status };
    return reject(error);
  };
  const upper = (name) => name[0].toUpperCase() + name.slice(1);
  const lower = (name) => name[0].toLowerCase() + name.slice(1);
  // The second SDK's form of a call: a callback, or an object with `promise`.
  const method2 = (call) => (params, callback) => {
    if (typeof params === 'function') { callback = params; params = {}; }
    if (callback) { call(params).then((data) => callback(null, data), (error) => callback(error, null)); return {}; }
    return { promise: () => call(params) };
  };
  const client2 = (service) => function Client() {
    return new Proxy({}, {
      get: (_, method) => {
        if (typeof method !== 'string' || method === 'then') return undefined;
        return method2((params) => send(service, upper(method), params));
      },
    });
  };

  // ---- plain objects instead of DynamoDB's attribute values --------------------------------------------------------------------------
  class DynamoSet { constructor(list) { this.wrapperName = 'Set'; this.values = Array.from(list); this.type = this.values[0] instanceof Uint8Array ? 'Binary' : typeof this.values[0] === 'number' ? 'Number' : 'String'; } toJSON() { return this.values; } }
  const marshalSet = (values) => (values[0] instanceof Uint8Array ? { BS: values } : typeof values[0] === 'number' || typeof values[0] === 'bigint' ? { NS: values.map(String) } : { SS: values });
  const marshal = (value, options) => {
    if (value === null || value === undefined) return { NULL: true };
    if (typeof value === 'string') return { S: value };
    if (typeof value === 'boolean') return { BOOL: value };
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`Special numeric value ${value} is not allowed`);
      return { N: String(value) };
    }
    if (value instanceof Uint8Array) return { B: value };
    if (value instanceof DynamoSet) return marshalSet(value.values);
    if (value instanceof Set) return value.size ? marshalSet([...value]) : { NULL: true };
    const strict = (v) => {
      if (v === undefined && !options.dropUndefined) throw new Error('Pass options.removeUndefinedValues=true to remove undefined values from map/array/set.');
      return v !== undefined && typeof v !== 'function';
    };
    if (Array.isArray(value)) return { L: value.filter(strict).map((v) => marshal(v, options)) };
    if (value instanceof RealDate || (value.constructor !== Object && value.constructor !== undefined && !options.convertClasses)) {
      throw new Error(`Unsupported type passed: ${String(value)}. Pass options.convertClassInstanceToMap=true to marshall typeof object as map attribute.`);
    }
    return { M: marshalItem(value, options) };
  };
  const marshalItem = (item, options) => {
    const out = {};
    for (const [name, value] of Object.entries(item)) {
      if (value === undefined && options.dropUndefined) continue;
      if (value === undefined) throw new Error('Pass options.removeUndefinedValues=true to remove undefined values from map/array/set.');
      out[name] = marshal(value, options);
    }
    return out;
  };
  const unmarshal = (value, options) => {
    const [kind, inner] = Object.entries(value)[0];
    const numbers = (text) => (options.wrapNumbers ? { value: text } : Number(text));
    switch (kind) {
      case 'NULL': return null;
      case 'N': return numbers(inner);
      case 'L': return inner.map((v) => unmarshal(v, options));
      case 'M': return unmarshalItem(inner, options);
      case 'SS': case 'BS': return options.sets2 ? new DynamoSet(inner) : new Set(inner);
      case 'NS': return options.sets2 ? new DynamoSet(inner.map(Number)) : new Set(inner.map(numbers));
      default: return inner;
    }
  };
  const unmarshalItem = (item, options) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, unmarshal(value, options)]));
  // Where attribute values lie in requests and answers.
  const ITEMS = new Set(['Item', 'Key', 'ExpressionAttributeValues', 'ExclusiveStartKey', 'Attributes', 'LastEvaluatedKey']);
  const LISTS = new Set(['Items', 'Keys']);
  const throughout = (value, item, one) => {
    if (Array.isArray(value)) return value.map((v) => throughout(v, item, one));
    if (!value || typeof value !== 'object' || value instanceof Uint8Array) return value;
    const out = {};
    for (const [name, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      if (ITEMS.has(name)) out[name] = item(inner);
      else if (LISTS.has(name)) out[name] = inner.map(item);
      else if (name === 'Responses') out[name] = Object.fromEntries(Object.entries(inner).map(([table, items]) => [table, items.map(item)]));
      else if (name === 'AttributeValueList') out[name] = inner.map(one);
      else if (name === 'Value') out[name] = one(inner);
      else out[name] = throughout(inner, item, one);
    }
    return out;
  };
  const document = (operation, params, options) => {
    let request;
    try { request = throughout(params || {}, (item) => marshalItem(item, options), (value) => marshal(value, options)); } catch (error) { return Promise.reject(error); }
    return send('dynamodb', operation, request).then((answer) => throughout(answer, (item) => unmarshalItem(item, options), (value) => unmarshal(value, options)));
  };
  const DOCUMENT = { Get: 'GetItem', Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', Query: 'Query', Scan: 'Scan', BatchGet: 'BatchGetItem', BatchWrite: 'BatchWriteItem', TransactWrite: 'TransactWriteItems', TransactGet: 'TransactGetItems' };
  const OLD = { dropUndefined: true, convertClasses: true, sets2: true };
  const client2dynamo = client2('dynamodb');
  client2dynamo.DocumentClient = function DocumentClient() {
    this.createSet = (list) => new DynamoSet(list);
    for (const [short, operation] of Object.entries(DOCUMENT)) this[lower(short)] = method2((params) => document(operation, params, OLD));
  };
  client2dynamo.Converter = { marshall: (item) => marshalItem(item, OLD), unmarshall: (item) => unmarshalItem(item, OLD), input: (value) => marshal(value, OLD), output: (value) => unmarshal(value, OLD) };
  const marshallOptions = (given) => ({ dropUndefined: !!(given && given.removeUndefinedValues), convertClasses: !!(given && given.convertClassInstanceToMap), wrapNumbers: !!(given && given.wrapNumbers) });
  const libDynamo = () => {
    const out = {};
    const make = (translate) => {
      const options = { ...marshallOptions(translate && translate.marshallOptions), wrapNumbers: !!(translate && translate.unmarshallOptions && translate.unmarshallOptions.wrapNumbers) };
      const client = { send: (command) => document(command.operation, command.input, options), destroy() {} };
      for (const [short, operation] of Object.entries(DOCUMENT)) client[lower(short)] = (params) => document(operation, params, options);
      return client;
    };
    for (const [short, operation] of Object.entries(DOCUMENT)) out[`${short}Command`] = class { constructor(input) { this.input = input; this.operation = operation; } };
    out.DynamoDBDocumentClient = { from: (_, translate) => make(translate) };
    out.DynamoDBDocument = out.DynamoDBDocumentClient;
    return out;
  };

  const AWS = new Proxy({ config: { update() {} }, DynamoDB: client2dynamo }, {
    get: (target, name) => (name in target || typeof name !== 'string' ? target[name] : client2(name)),
  });
  const sdk3 = (service) => new Proxy({}, {
    get: (_, name) => {
      if (typeof name !== 'string') return undefined;
      if (name.endsWith('Command')) {
        const operation = name.slice(0, -7);
        return class { constructor(input) { this.input = input; this.operation = operation; } };
      }
      // Errors of the service are told apart by their class.
      if (/(Exception|Error|NotFound)$/.test(name)) return class extends Error { static [Symbol.hasInstance](error) { return !!error && error.name === name; } };
      // The client has `send`; the class without `Client` in its name has a method for each operation, too.
      return class {
        constructor() {
          return new Proxy({ send: (command) => send(service, command.operation, command.input), destroy() {} }, {
            get: (target, method) => {
              if (typeof method !== 'string' || method === 'then' || method in target) return target[method];
              return (params) => send(service, upper(method), params);
            },
          });
        }
      };
    },
  });

  const modules = {
    'aws-sdk': () => AWS,
    '@aws-sdk/lib-dynamodb': libDynamo,
    '@aws-sdk/util-dynamodb': () => ({ marshall: (value, options) => marshalItem(value, marshallOptions(options)), unmarshall: (value, options) => unmarshalItem(value, marshallOptions(options)), convertToAttr: (value, options) => marshal(value, marshallOptions(options)), convertToNative: (value, options) => unmarshal(value, marshallOptions(options)) }),
    buffer: () => ({ Buffer }),
    util: () => ({
      promisify: (fn) => (...args) => new Promise((resolve, reject) => fn(...args, (e, v) => (e ? reject(e) : resolve(v)))),
      inspect: show, format: (...args) => format(args), TextEncoder, TextDecoder, types: {}, isDeep: undefined,
    }),
    zlib: () => {
      const pack = (name) => (data) => Buffer.of_(__zlib(name, raw(typeof data === 'string' ? Buffer.from(data) : data)));
      const later = (fn) => (data, options, cb) => { const done = cb || options; try { const v = fn(data); queueMicrotask(() => done(null, v)); } catch (e) { queueMicrotask(() => done(e)); } };
      const out = {};
      for (const name of ['gunzip', 'gzip', 'unzip', 'inflateRaw', 'deflateRaw']) { out[`${name}Sync`] = pack(name); out[name] = later(out[`${name}Sync`]); }
      return out;
    },
    crypto: () => ({
      createHash: (kind) => {
        let parts = [];
        const hash = {
          update(data) { parts.push(typeof data === 'string' ? Buffer.from(data) : data); return hash; },
          digest(encoding) { const b = Buffer.of_(__hash(kind, raw(Buffer.concat(parts)))); return encoding ? b.toString(encoding) : b; },
        };
        return hash;
      },
      randomUUID: () => { const h = () => Math.floor(Math.random() * 65536).toString(16).padStart(4, '0'); return `${h()}${h()}-${h()}-4${h().slice(1)}-8${h().slice(1)}-${h()}${h()}${h()}`; },
      randomBytes: (n) => Buffer.from(Array.from({ length: n }, () => Math.floor(Math.random() * 256))),
    }),
    events: () => { class EventEmitter { constructor() { this.l = {}; } on(n, f) { (this.l[n] = this.l[n] || []).push(f); return this; } emit(n, ...a) { (this.l[n] || []).forEach((f) => f(...a)); return true; } } EventEmitter.EventEmitter = EventEmitter; return EventEmitter; },
    path: () => ({ join: (...p) => p.join('/'), basename: (p) => p.split('/').pop(), extname: (p) => { const m = /\.[^./]*$/.exec(p); return m ? m[0] : ''; } }),
    assert: () => Object.assign((ok, message) => { if (!ok) throw new Error(message || 'assertion failed'); }, { equal(a, b) { if (a != b) throw new Error(`${a} != ${b}`); }, strictEqual(a, b) { if (a !== b) throw new Error(`${a} !== ${b}`); } }),
  };
  const files = JSON.parse(__files);
  const loaded = {};
  const imports = (text) => text
    .replace(/^\s*import\s+([\w$]+)\s*,\s*\{([^}]*)\}\s*from\s*(['"])(.*?)\3\s*;?/gm, (_, d, names, q, m) => `const ${d} = __default(require(${q}${m}${q})); const {${names.replace(/\sas\s/g, ': ')}} = require(${q}${m}${q});`)
    .replace(/^\s*import\s*\{([^}]*)\}\s*from\s*(['"])(.*?)\2\s*;?/gm, (_, names, q, m) => `const {${names.replace(/\sas\s/g, ': ')}} = require(${q}${m}${q});`)
    .replace(/^\s*import\s*\*\s*as\s+([\w$]+)\s*from\s*(['"])(.*?)\2\s*;?/gm, (_, n, q, m) => `const ${n} = require(${q}${m}${q});`)
    .replace(/^\s*import\s+([\w$]+)\s+from\s*(['"])(.*?)\2\s*;?/gm, (_, n, q, m) => `const ${n} = __default(require(${q}${m}${q}));`)
    .replace(/^\s*import\s*(['"])(.*?)\1\s*;?/gm, (_, q, m) => `require(${q}${m}${q});`)
    .replace(/^(\s*)export\s+default\s+/gm, '$1exports.default = ')
    .replace(/^(\s*)export\s+(const|let|var)\s+([\w$]+)\s*=/gm, '$1$2 $3 = exports.$3 =')
    .replace(/^(\s*)export\s+(async\s+function\*?|function\*?|class)\s+([\w$]+)/gm, (_, s, kind, name) => `${s}Promise.resolve().then; exports.${name} = ${name}; ${kind} ${name}`)
    .replace(/^\s*export\s*\{([^}]*)\}\s*;?/gm, (_, names) => names.split(',').map((n) => n.trim()).filter(Boolean).map((n) => { const [a, b] = n.split(/\sas\s/); return `exports.${(b || a).trim()} = ${a.trim()};`; }).join(' '));
  globalThis.__default = (m) => (m && m.default !== undefined ? m.default : m);
  const load = (name) => {
    if (loaded[name]) return loaded[name].exports;
    const module = { exports: {} };
    loaded[name] = module;
    if (name.endsWith('.json')) { module.exports = JSON.parse(files[name]); return module.exports; }
    const text = /^\s*(import|export)[\s{*'"]/m.test(files[name]) ? imports(files[name]) : files[name];
    const wrapper = __compile(name, `(function (exports, require, module, __filename, __dirname) {${text}\n})`);
    wrapper(module.exports, (wanted) => require(wanted, name), module, `/var/task/${name}`, '/var/task');
    return module.exports;
  };
  const require = (wanted, from) => {
    const name = wanted.replace(/^node:/, '');
    if (modules[name]) return (modules[name].made = modules[name].made || modules[name]());
    const sdk = /^@aws-sdk\/client-([a-z0-9-]+)$/.exec(name);
    if (sdk) return sdk3(sdk[1]);
    const v2 = /^aws-sdk\/clients\/([a-z0-9]+)$/.exec(name);
    if (v2) return v2[1] === 'dynamodb' ? client2dynamo : client2(v2[1]);
    if (name.startsWith('.')) {
      const base = from.includes('/') ? from.slice(0, from.lastIndexOf('/') + 1) : '';
      const parts = [];
      for (const part of (base + name).split('/')) { if (part === '..') parts.pop(); else if (part !== '.' && part !== '') parts.push(part); }
      const path = parts.join('/');
      for (const file of [path, `${path}.js`, `${path}.cjs`, `${path}.mjs`, `${path}.json`, `${path}/index.js`]) if (files[file] !== undefined) return load(file);
    }
    for (const file of [`node_modules/${name}.js`, `node_modules/${name}/index.js`]) if (files[file] !== undefined) return load(file);
    const error = new Error(`Cannot find module '${wanted}'`);
    error.code = 'MODULE_NOT_FOUND';
    error.name = 'Runtime.ImportModuleError';
    throw error;
  };

  // ---- the invocation ------------------------------------------------------------------------------------------------------------------
  const state = { settled: false, value: undefined, error: undefined, waits: true };
  const settle = (error, value) => {
    if (state.settled) return;
    state.settled = true;
    state.error = error;
    state.value = value;
  };
  const describe = (error) => {
    if (error instanceof Error || (error && error.message !== undefined)) {
      return { errorType: error.name || 'Error', errorMessage: String(error.message), trace: [`${error.name}: ${error.message}`, ...String(error.stack || '').split('\n').map((l) => l.trim()).filter(Boolean).slice(0, 8)] };
    }
    return { errorType: 'string', errorMessage: typeof error === 'string' ? error : JSON.stringify(error), trace: [] };
  };
  globalThis.__begin = (file, name, event, context) => {
    try {
      if (files[file] === undefined) {
        const error = new Error(`Cannot find module '${file.replace(/\.[cm]?js$/, '')}'`);
        error.name = 'Runtime.ImportModuleError';
        throw error;
      }
      const handler = load(file)[name];
      if (typeof handler !== 'function') {
        const error = new Error(`${file.replace(/\.[cm]?js$/, '')}.${name} is undefined or not exported`);
        error.name = 'Runtime.HandlerNotFound';
        throw error;
      }
      const deadline = now + context.timeout;
      const ctx = {
        awsRequestId: context.requestId, functionName: context.functionName, functionVersion: '$LATEST', invokedFunctionArn: context.arn,
        memoryLimitInMB: String(context.memory), logGroupName: `/aws/lambda/${context.functionName}`, logStreamName: '$LATEST',
        callbackWaitsForEmptyEventLoop: true, getRemainingTimeInMillis: () => Math.max(0, deadline - now),
        done: (e, v) => settle(e || undefined, v), succeed: (v) => settle(undefined, v), fail: (e) => settle(e || new Error('failed')),
      };
      const returned = handler(JSON.parse(event), ctx, (e, v) => settle(e || undefined, v));
      if (returned && typeof returned.then === 'function') returned.then((v) => settle(undefined, v), (e) => settle(e === undefined ? new Error('undefined') : e));
      else if (handler.constructor.name === 'AsyncFunction') settle(undefined, returned);
    } catch (error) { settle(error); }
  };
  // Runs the next timer; false when there is none.
  globalThis.__tick = () => {
    if (timers.length === 0) return false;
    timers.sort((a, b) => a.at - b.at || a.id - b.id);
    const timer = timers.shift();
    now = Math.max(now, timer.at);
    if (timer.repeat) { timer.at = now + timer.repeat; timers.push(timer); }
    try { timer.fn(...timer.args); } catch (error) { settle(error); }
    return true;
  };
  globalThis.__state = () => {
    if (!state.settled) return '';
    if (state.error !== undefined) return JSON.stringify({ threw: describe(state.error) });
    try {
      const text = JSON.stringify(state.value === undefined ? null : state.value);
      return JSON.stringify({ returned: text === undefined ? 'null' : text });
    } catch (error) {
      return JSON.stringify({ threw: { errorType: 'Runtime.MarshalError', errorMessage: `Unable to stringify response body: ${error.message}`, trace: [] } });
    }
  };
  globalThis.__now = () => now;
})();
