import type { Box } from "./treemap.ts";

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Returns the nearest box in the direction of an arrow key; undefined if there is none. */
export function neighbour<Other extends Box>(
  boxes: readonly Other[],
  box: Box,
  key: string,
): Other | undefined {
  const [dx, dy] = DIRECTIONS[key] ?? [0, 0];
  const [x, y] = middleOf(box);
  let nearest: Other | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const other of boxes) {
    const [otherX, otherY] = middleOf(other);
    const ahead = (otherX - x) * dx + (otherY - y) * dy;
    const aside = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx);
    const distance = ahead + aside * 2;
    if (ahead <= 0.5 || distance >= least) continue;
    least = distance;
    nearest = other;
  }
  return nearest;
}

function middleOf({ x, y, w, h }: Box): readonly [x: number, y: number] {
  return [x + w / 2, y + h / 2];
}
