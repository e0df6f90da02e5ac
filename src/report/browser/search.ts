import { formatBytes, formatCount } from "../format.ts";
import { files, find, showFile, showMatches } from "./map.ts";
import { type FileNode, type PageNode, searchFiles } from "./tree.ts";

const MAX_RESULTS = 50;
/** The milliseconds without a key press before a search starts. */
const TYPING_PAUSE_MS = 60;

const box = find("search", HTMLInputElement);
const results = find("results", HTMLElement);
const summary = find("found", HTMLElement);

/** Adds the listeners of the search box and its results. */
export function listenToSearch(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(showResults, TYPING_PAUSE_MS);
  });
  box.addEventListener("keydown", (event) => {
    if (pressedInBox(event.key)) event.preventDefault();
  });
  results.addEventListener("keydown", (event) => {
    if (pressedInResults(event)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === box) return;
    event.preventDefault();
    box.focus();
  });
}

function showResults(): void {
  const found = searchFiles(files, box.value);
  const isSearch = box.value.trim() !== "";
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  const more = found.length > MAX_RESULTS ? `, the largest ${MAX_RESULTS} shown` : "";
  results.replaceChildren(...found.slice(0, MAX_RESULTS).map(resultItem));
  summary.textContent = isSearch ? `${formatCount(found.length, "file")}, ${formatBytes(bytes)}${more}` : "";
  showMatches(isSearch ? withDirectories(found) : undefined);
}

function withDirectories(found: readonly FileNode[]): ReadonlySet<PageNode> {
  const all = new Set<PageNode>();
  for (const file of found)
    for (let at: PageNode | undefined = file; at && !all.has(at); at = at.parent) all.add(at);
  return all;
}

function resultItem(file: FileNode): HTMLLIElement {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.append(textSpan("size", formatBytes(file.size)), textSpan("path", file.path));
  button.addEventListener("click", () => showFile(file));
  item.append(button);
  return item;
}

function textSpan(className: string, text: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

function pressedInBox(key: string): boolean {
  if (key === "Escape" && box.value !== "") {
    clearSearch();
    return true;
  }
  if (key !== "ArrowDown" && key !== "Enter") return false;
  showResults();
  const first = results.querySelector("button");
  if (key === "Enter") first?.click();
  else first?.focus();
  return true;
}

function pressedInResults({ key, target }: KeyboardEvent): boolean {
  const buttons = [...results.querySelectorAll("button")];
  const at = target instanceof HTMLButtonElement ? buttons.indexOf(target) : -1;
  if (key === "ArrowDown") buttons[at + 1]?.focus();
  else if (key === "ArrowUp") (buttons[at - 1] ?? box).focus();
  else if (key === "Escape") clearSearch();
  else return false;
  return true;
}

function clearSearch(): void {
  box.value = "";
  showResults();
  box.focus();
}
