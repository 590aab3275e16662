/** What flags and variables say, as a configuration with a service `tftp` and a service `ftp`. */
import { dotted, type Document, isSecret, type Path, placesOf, problemOf } from './document.ts';
import type { Fault } from './fault.ts';
import { isRecord } from './json-schema.ts';
import { type OptionInfo, optionInfos } from './options.ts';
import type { Complaint } from './section.ts';
import type { Said, SaidOptions } from './sources.ts';

interface Place extends Said {
  /** Among the options. */
  readonly order: number;
}

type Content = Record<string, unknown>;

export class FlagDocument implements Document {
  readonly content: Content = {};
  /** By path: what is meant there. */
  readonly #places = new Map<string, Place>();

  /** `protocols` are those that are to be services; what is said of others is left out. */
  constructor(said: SaidOptions, protocols: readonly ('tftp' | 'ftp')[]) {
    const services = protocols.map((protocol) => [protocol, { protocol }] as const);
    this.content['services'] = Object.fromEntries(services);
    for (const [order, info] of optionInfos.entries()) {
      const given = said.get(info.key);
      if (given !== undefined) this.#say(info, { ...given, order });
    }
  }

  faultsOf(complaints: readonly Complaint[]): Fault[] {
    const found = complaints.flatMap((complaint) => this.#faultOf(complaint) ?? []);
    const first = new Map<string, PropertyKey | undefined>();
    for (const { key, service } of found.toReversed()) first.set(key, service);
    // What is wrong with something that is said of both services is said once.
    const told = found.filter(({ key, service }) => first.get(key) === service);
    return told.toSorted((a, b) => a.order - b.order).map(({ fault }) => fault);
  }

  nameOf(path: Path): string {
    return optionOf(path)?.flag ?? dotted(path);
  }

  #say(info: OptionInfo, place: Place): void {
    for (const path of info.to) {
      const [top, name = ''] = path;
      const services = this.content['services'];
      if (top === 'services' && !(isRecord(services) && name in services)) continue;
      if (info.kind === 'list' && Array.isArray(place.value)) this.#add(path, place.value, info, place);
      else this.#set(path, place.value, place);
    }
  }

  #set(path: Path, value: unknown, place: Place): void {
    setAt(this.content, path, value);
    this.#places.set(dotted(path), place);
  }

  /** To what another option may have put there. */
  #add(path: readonly string[], values: readonly string[], { part }: OptionInfo, place: Place): void {
    const before = valueAt(this.content, path);
    const entries = Array.isArray(before) ? before : [];
    const added = values.map((value) => (part === undefined ? value : { [part]: value }));
    this.#set(path, [...entries, ...added], place);
    for (const [at, value] of values.entries()) {
      this.#places.set(dotted([...path, entries.length + at]), { ...place, value });
    }
  }

  #faultOf(complaint: Complaint): FoundFault | undefined {
    const places = placesOf(complaint);
    const meant = places.map((path) => this.#placeOf(path));
    const [first] = meant;
    if (first === undefined && !isMissingListener(complaint)) return undefined;
    const value =
      meant.length === 1 && !isSecret(places[0] ?? [], this.content) ? textOf(first?.value) : undefined;
    const sources = meant.map((place, at) => place?.source ?? this.nameOf(places[at] ?? []));
    const source = [...new Set(sources)].join(' and ');
    return {
      order: first?.order ?? 0,
      key: `${source} ${value}`,
      service: complaint.path[1],
      fault: { source, value, problem: problemOf(complaint, this) },
    };
  }

  /** What was said of the place, or of the nearest one that holds it. */
  #placeOf(path: Path): Place | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const place = this.#places.get(dotted(path.slice(0, length)));
      if (place) return place;
    }
    return undefined;
  }
}

interface FoundFault {
  readonly order: number;
  /** Who said what. */
  readonly key: string;
  /** Of which service it is wrong. */
  readonly service: PropertyKey | undefined;
  readonly fault: Fault;
}

/** Flags have words of their own for all else that is missing (flag-rules.ts). */
function isMissingListener({ path }: Complaint): boolean {
  return path[2] === 'listeners' && path.length === 3;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The option that says what stands at the place of a service `tftp` or `ftp`, or of the process. */
export function optionOf(path: Path): OptionInfo | undefined {
  const wanted = dotted(path);
  return optionInfos.find(({ to }) => to.some((place) => dotted(place) === wanted));
}

/** Makes the sections on the way where they are missing. */
export function setAt(content: Content, path: Path, value: unknown): void {
  const [first, ...rest] = path.map(String);
  if (first === undefined) return;
  if (rest.length === 0) {
    content[first] = value;
    return;
  }
  const section = content[first];
  const inner: Content = isRecord(section) ? { ...section } : {};
  content[first] = inner;
  setAt(inner, rest, value);
}

function valueAt(content: unknown, path: Path): unknown {
  return path.reduce((value: unknown, key) => (isRecord(value) ? value[String(key)] : undefined), content);
}
