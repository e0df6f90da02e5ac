const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Formats bytes in decimal units: `512 B`, `3.1 MB`, `120 MB`. The page's script and the terminal use it. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** Formats a share in percent: `<0.1 %`, `3.4 %`, `41 %`. */
export function formatPart(part: number, whole: number): string {
  const value = whole === 0 ? 0 : (part * 100) / whole;
  if (value > 0 && value < 0.05) return "<0.1 %";
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** Formats a count with its noun: `1 file`, `41,250 files`. */
export function formatCount(count: number, noun: string): string {
  return `${String(count).replace(/\B(?=(\d{3})+$)/g, ",")} ${noun}${count === 1 ? "" : "s"}`;
}
