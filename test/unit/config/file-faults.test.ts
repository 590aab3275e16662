import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { removeFolders } from '../../helpers/folders.ts';
import { faultsOf, loadFile, pxe } from './scene.ts';

afterAll(removeFolders);

const service = (name: string, protocol: string, listeners: string): string =>
  `  ${name}: { protocol: ${protocol}, listeners: [${listeners}], backends: [a] }\n`;

describe('the faults of a file', () => {
  it('are all reported at once, in its order, each with line, column and path', () => {
    const text = `# a lab
services:
  pxe:
    protocol: tftp
    listeners: [192.0.2.1, "[::1]:6969", 192.0.2.300]
    backends:
      - 192.0.2.11,weight=x
      - { host: b.example, weigt: 3, port: 0 }
      - 7
    policy: file-hsh
    tftp:
      single-port: true
      tid-ports: 4000-5000
      try-interval: 5m
      max-blksize:
    limits: 7
  "bad name":
    protocol: ftp
    listeners: [192.0.2.1]
    backends: [192.0.2.1]
  other:
    protocol: tftp
    listeners: []
    backends:
  third: { protocol: tftpd }
  fourth: { protocol: tftp, listeners: ["[::1]:6969"], backends: [a, "a:70,name=a"] }
admin: { listen: localhost:5 }
wrokers: 3
`;
    expect(faultsOf(loadFile(text))).toEqual([
      'lab.yaml:5:42: services.pxe.listeners[2] "192.0.2.300": expected ADDR or ADDR:PORT with an address in numbers (IPv6 in brackets if a port follows)',
      'lab.yaml:7:9: services.pxe.backends[0] "192.0.2.11,weight=x": expected weight=N with N from 1 to 256',
      'lab.yaml:8:28: services.pxe.backends[1].weigt "3": unknown key; did you mean weight?',
      'lab.yaml:8:38: services.pxe.backends[1].port "0": expected a whole number from 1 to 65535',
      'lab.yaml:9:9: services.pxe.backends[2] "7": expected a section with host, port, weight, name',
      'lab.yaml:10:5: services.pxe.policy "file-hsh": expected one of round-robin, least-sessions, two-choices, source-hash, file-hash, first',
      'lab.yaml:12:7: services.pxe.tftp.single-port and tid-ports: exclude each other',
      'lab.yaml:14:7: services.pxe.tftp.try-interval "5m": expected a duration from 10ms to 1m, such as 500ms, 10s or 1m',
      'lab.yaml:15:7: services.pxe.tftp.max-blksize: expected auto or a whole number from 8 to 65464',
      'lab.yaml:16:5: services.pxe.limits "7": expected a section with max-sessions, max-sessions-per-client, max-sessions-per-backend, answer',
      'lab.yaml:17:3: services.bad name: expected a name of 1 to 63 letters, digits, dots, hyphens or underscores, the first a letter or digit',
      'lab.yaml:20:16: services.bad name.backends[0] "192.0.2.1": 192.0.2.1:21 is where the balancer itself listens; give the server\'s own port',
      'lab.yaml:23:5: services.other.listeners: required: the address to listen on, ADDR',
      'lab.yaml:24:5: services.other.backends: required: a server to balance over, HOST[:PORT]',
      'lab.yaml:25:12: services.third.protocol "tftpd": expected a section with protocol: tftp or protocol: ftp',
      'lab.yaml:26:41: services.fourth.listeners[0] "[::1]:6969": service pxe listens there already, on [::1]:6969',
      'lab.yaml:26:70: services.fourth.backends[1] "a:70,name=a": a backend named a stands before it; give one of them another name',
      'lab.yaml:27:10: admin.listen "localhost:5": expected ADDR:PORT with an address in numbers (IPv6 in brackets), or false',
      'lab.yaml:28:1: wrokers "3": unknown key; did you mean workers?',
    ]);
  });

  it('include listeners that are covered, within a service and between two of a protocol', () => {
    const text = `services:
${service('one', 'tftp', '0.0.0.0, 192.0.2.1, "192.0.2.1:70", "192.0.2.1:70", "192.0.2.1:71"')}${service('two', 'tftp', '192.0.2.2, "192.0.2.2:72"')}${service('three', 'tftp', '"0.0.0.0:72"')}${service('four', 'ftp', '0.0.0.0, "192.0.2.1:70"')}`;
    expect(faultsOf(loadFile(text)).map((fault) => fault.replace(/^\S+ /, ''))).toEqual([
      'services.one.listeners[1] "192.0.2.1": 0.0.0.0 covers it already',
      'services.one.listeners[3] "192.0.2.1:70": 192.0.2.1 covers it already',
      'services.two.listeners[0] "192.0.2.2": service one listens there already, on 0.0.0.0:69',
      'services.three.listeners[0] "0.0.0.0:72": service two listens there already, on 192.0.2.2:72',
    ]);
  });

  it('include ports for TLS that another service listens at, or that are no list where one is wanted', () => {
    const two = '  two: { protocol: ftp, listeners: [192.0.2.1], backends: [a], ftp: { tls: {';
    const tls = ' implicit-port: 990, certificates: a.pem } } }\n';
    const faults = faultsOf(loadFile(`services:\n${service('one', 'ftp', '"192.0.2.1:990"')}${two}${tls}`));
    expect(faults.map((fault) => fault.replace(/^\S+ /, ''))).toEqual([
      'services.two.ftp.tls.implicit-port "990": service one listens there already, on 192.0.2.1:990',
      'services.two.ftp.tls.certificates "a.pem": expected a list of paths, such as [/etc/ssl/ftp.pem]',
    ]);
  });

  it('never show a password', () => {
    const health = `    health: { password: "se\\ncret", password-file: /f }\n`;
    const faults = faultsOf(loadFile(`${pxe.replace('tftp', 'ftp')}${health}`));
    expect(faults).toEqual([
      'lab.yaml:7:15: services.pxe.health.password: expected 1 to 255 printable characters',
    ]);
    expect(faultsOf(loadFile(`${pxe.replace('tftp', 'ftp')}    health: { password: secret }\n`))).toEqual([
      'lab.yaml:7:15: services.pxe.health.password: needs services.pxe.health.user',
    ]);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'lab.yaml:1:1: expected a section with services'],
    ['no section', '- a\n', 'lab.yaml:1:1: expected a section with services'],
    ['no services', 'workers: 1\n', 'lab.yaml:1:1: services: required: services by name'],
    ['empty services', 'services: {}\n', 'lab.yaml:1:1: services: required: a service by its name'],
    ['a list of services', 'services: [a]\n', 'lab.yaml:1:1: services: required: services by name'],
    [
      'a service of one word',
      'services:\n  pxe: tftp\n',
      'lab.yaml:2:3: services.pxe "tftp": expected a section',
    ],
    ['a key that stands twice', `${pxe}services: {}\n`, 'lab.yaml:7:1: Map keys must be unique'],
    ['several documents', `${pxe}---\n${pxe}`, 'lab.yaml:7:1: expected one document'],
    ['brackets without end', '['.repeat(100_000), 'lab.yaml:1:1: the nesting is too deep'],
    [
      'very many keys',
      Array.from({ length: 2_000 }, (_, at) => `k${at}: 1`).join('\n'),
      'lab.yaml:1025:1: more than 1024 entries in a list or map',
    ],
    ['tags of programs', 'services: !!js/function a\n', 'lab.yaml:1:11: Unresolved tag'],
    ['no text', Uint8Array.of(0xff, 0xfe, 0), 'lab.yaml: is not text in UTF-8'],
    ['more than anybody writes', ' '.repeat(270_000), 'lab.yaml: is larger than 262144 bytes'],
    ['an alias of nothing', 'services: *x\n', 'Unresolved alias'],
  ])('include %s', (_what, text, fault) => {
    expect(faultsOf(loadFile(text))).toEqual([expect.stringContaining(fault)]);
  });

  it('include aliases that multiply', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const of = level === 0 ? '[x]' : `[${Array.from({ length: 10 }, () => `*a${level - 1}`).join(',')}]`;
      return `a${level}: &a${level} ${of}\n`;
    });
    expect(faultsOf(loadFile(levels.join('')))).toEqual([expect.stringContaining('alias')]);
  });

  it('include too many services', () => {
    const services = Array.from(
      { length: 65 },
      (_, at) => `  s${at}: { protocol: tftp, listeners: ["::1"], port: ${at + 1}, backends: [a] }\n`,
    );
    expect(faultsOf(loadFile(`services:\n${services.join('')}`))).toEqual([
      'lab.yaml:1:1: services: at most 64 are possible',
    ]);
  });

  it('include a file that is not there, or that nobody named', () => {
    expect(faultsOf(loadConfig({ config: '/nonexistent/lab.yaml' }, {}))).toEqual([
      expect.stringContaining('lab.yaml: cannot be read: ENOENT'),
    ]);
    expect(faultsOf(loadConfig({ config: true }, {}))).toEqual(['--config: expected the path of a file']);
  });
});
