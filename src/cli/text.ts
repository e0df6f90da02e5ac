/** Bytes for people, in thousands: `512 B`, `3.1 MB`, `120 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Milliseconds for people: `80 ms`, `3.2 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `1 file`, `412 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `sha256:0123456789ab…`, enough for people. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}

/**
 * Names and messages of others, safe to print: a control character could move the cursor or colour the screen,
 * and a direction mark could make a name read as another.
 */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");
}

/** `text` in at most `columns` columns of a terminal; a cut one ends with an ellipsis. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const character of text) {
    width += columnsOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return columns > 0 ? `${kept}…` : "";
}

/** Columns that `text` takes on a terminal; on the safe side for signs that terminals disagree about. */
export function widthOf(text: string): number {
  return [...text].reduce((width, character) => width + columnsOf(character), 0);
}

function columnsOf(character: string): number {
  return (character.codePointAt(0) ?? 0) >= 0x1100 && character !== "…" ? 2 : 1;
}

/** `text` as lines of at most `columns` columns, broken at spaces and, where a word is longer, inside it. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => slices(one, columns))) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function slices(word: string, columns: number): readonly string[] {
  return word.length <= columns ? [word] : (word.match(new RegExp(`.{1,${columns}}`, "gsu")) ?? []);
}

/** `cacheDir` -> `cache-dir`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
