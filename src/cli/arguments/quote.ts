/**
 * Quotes a word of the user for a message, and cuts it so that a pasted file does not fill the
 * screen.
 */
export function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 79)}…` : word);
}
