/** 127.0.0.1 is 0x7f000001. */
export function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

