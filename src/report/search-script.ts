/** Last part: the search box, its results, and the start. */
export const SEARCH_SCRIPT: string = `
const MOST_RESULTS = 50;

function showResults() {
  const found = search(files, box.value);
  matches = box.value.trim() === "" ? undefined : withFolders(found);
  results.replaceChildren(...found.slice(0, MOST_RESULTS).map(resultOf));
  const bytes = found.reduce((sum, file) => sum + file.size, 0);
  const more = found.length > MOST_RESULTS ? ", the largest " + MOST_RESULTS + " shown" : "";
  find("found").textContent = matches ? filesText(found.length) + ", " + bytesText(bytes) + more : "";
  redraw();
}

function withFolders(found) {
  const all = new Set();
  for (const file of found) for (let at = file; at && !all.has(at); at = at.parent) all.add(at);
  return all;
}

function resultOf(file) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const size = document.createElement("span");
  const path = document.createElement("span");
  button.type = "button";
  size.className = "size";
  size.textContent = bytesText(file.size);
  path.className = "path";
  path.textContent = file.path;
  button.append(size, path);
  button.addEventListener("click", () => {
    zoom(file.parent, file);
    const cell = cells.find((one) => one.item === file);
    cell?.group.focus({ preventScroll: true });
    if (cell) select(cell);
    else tell(file);
    map.scrollIntoView({ block: "nearest" });
  });
  item.append(button);
  return item;
}

function clearSearch() {
  box.value = "";
  showResults();
  box.focus();
}

let waiting;
box.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(showResults, 60);
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && box.value !== "") clearSearch();
  else if (event.key === "ArrowDown" || event.key === "Enter") {
    showResults();
    const first = results.querySelector("button");
    if (event.key === "Enter") first?.click();
    else first?.focus();
  } else return;
  event.preventDefault();
});
results.addEventListener("keydown", (event) => {
  const buttons = [...results.querySelectorAll("button")];
  const at = buttons.indexOf(event.target);
  if (event.key === "ArrowDown") buttons[at + 1]?.focus();
  else if (event.key === "ArrowUp") (buttons[at - 1] ?? box).focus();
  else if (event.key === "Escape") clearSearch();
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === box) return;
  event.preventDefault();
  box.focus();
});

document.documentElement.classList.add("lively");
new ResizeObserver(redraw).observe(map);
redraw();
`;
