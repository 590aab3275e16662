import type { Net } from '../../src/net/net.ts';

/** The same net, some of whose calls are others. */
export function changedNet(net: Net, changes: Partial<Net>): Net {
  return new Proxy(net, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in changes ? changes : target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
