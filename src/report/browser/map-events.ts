import { neighbour } from "./arrow-keys.ts";
import {
  cellAt,
  currentCell,
  enter,
  focusCurrent,
  map,
  select,
  showDetail,
  shownDirectory,
  topCells,
  zoom,
} from "./map.ts";
import { root } from "./page.ts";

/** Adds the map's listeners for mouse, touch and keyboard. */
export function listenToMap(): void {
  map.addEventListener("click", ({ target }) => {
    const cell = cellAt(target);
    if (cell) enter(cell);
  });
  // Not pointerover, which is also fired when the page scrolls under a resting pointer.
  map.addEventListener("pointermove", ({ target }) => showDetail((cellAt(target) ?? currentCell())?.item));
  map.addEventListener("pointerleave", () => showDetail(currentCell()?.item));
  map.addEventListener("focusin", ({ target }) => {
    const cell = cellAt(target);
    if (!cell || cell.group.classList.contains("current")) return;
    select(cell, target instanceof Element && target.matches(":focus-visible"));
  });
  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pressed(event)) event.preventDefault();
  });
}

/** Runs the action of a key; returns false if it has none on the map. */
function pressed({ key, target }: KeyboardEvent): boolean {
  const cell = cellAt(target);
  if (!cell) return false;
  if (key.startsWith("Arrow")) {
    neighbour(topCells(), cell, key)?.group.focus();
    return true;
  }
  const action = actionOf(key);
  if (!action) return false;
  action(cell);
  focusCurrent();
  return true;
}

function actionOf(key: string): ((cell: Parameters<typeof enter>[0]) => void) | undefined {
  const { parent } = shownDirectory();
  if (key === "Enter" || key === " ") return enter;
  if (key === "Home") return () => zoom(root);
  return (key === "Escape" || key === "Backspace") && parent ? () => zoom(parent) : undefined;
}
