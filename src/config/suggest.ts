import { closestMatch } from 'leven';

/** `; did you mean X?` if one of the candidates is only a few letters away, else nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const maxDistance = Math.min(3, Math.floor(word.length / 2));
  const match = closestMatch(word, candidates, { maxDistance });
  return match === undefined ? '' : `; did you mean ${match}?`;
}
