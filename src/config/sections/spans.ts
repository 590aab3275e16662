/** Spans of time in milliseconds, as bounds of durations. */
export const second = 1000;
export const minute: number = 60 * second;
export const hour: number = 60 * minute;
export const day: number = 24 * hour;
