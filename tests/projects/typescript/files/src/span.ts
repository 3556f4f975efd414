/** Says a length of time in words, to the minute. */
export function span(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes} min`;
}
